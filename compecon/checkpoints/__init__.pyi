from compecon.checkpoints.catalog import (
    CheckpointEntry as CheckpointEntry,
    list_checkpoints as list_checkpoints,
)
from compecon.checkpoints.encode_text import Encoded as Encoded
from compecon.checkpoints.gate.preflight import Preflight as Preflight
from compecon.checkpoints.hub_download import (
    DownloadPlan as DownloadPlan,
    download as download,
    plan_download as plan_download,
)
from compecon.checkpoints.load import (
    Checkpoint as Checkpoint,
    load_checkpoint as load_checkpoint,
)
from compecon.checkpoints.save import save_checkpoint as save_checkpoint
