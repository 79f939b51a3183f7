from compecon.evaluation.evaluate_model import (
    Evaluation as Evaluation,
    evaluate as evaluate,
    evaluate_checkpoint as evaluate_checkpoint,
)
from compecon.evaluation.evaluation_records import (
    EvaluationRecord as EvaluationRecord,
    EvaluationStore as EvaluationStore,
)
from compecon.evaluation.predict_rows import (
    embed as embed,
    predict as predict,
)
from compecon.evaluation.row_records import RowStatistics as RowStatistics
from compecon.evaluation.row_statistics import gather_statistics as gather_statistics
