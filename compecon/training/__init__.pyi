from compecon.training.elastic import (
    ElasticResult as ElasticResult,
    train_elastic as train_elastic,
)
from compecon.training.elastic_settings import ElasticSettings as ElasticSettings
from compecon.training.estimate import (
    TrainingEstimate as TrainingEstimate,
    estimate_training as estimate_training,
)
from compecon.training.fine_tuning import fine_tune as fine_tune
from compecon.training.incentive import (
    IncentiveResult as IncentiveResult,
    train_incentive as train_incentive,
)
from compecon.training.incentive_settings import IncentiveSettings as IncentiveSettings
from compecon.training.trainer import IncentiveTrainer as IncentiveTrainer
from compecon.training.training_settings import (
    FineTuneResult as FineTuneResult,
    FineTuneSettings as FineTuneSettings,
)
