from compecon.tasks.encode_rows import encode as encode
from compecon.tasks.language_task import LanguageTask as LanguageTask
from compecon.tasks.task import (
    Split as Split,
    Task as Task,
)
from compecon.tasks.task_metrics import (
    Estimate as Estimate,
    Metric as Metric,
)
from compecon.tasks.task_registry import read_task as read_task
