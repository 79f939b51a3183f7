from compecon.compression.compact_model import (
    compact as compact,
    kept_heads as kept_heads,
)
from compecon.compression.importance import make_importance as make_importance
from compecon.compression.importance.base import Importance as Importance
from compecon.compression.importance.fisher import Fisher as Fisher
from compecon.compression.importance.magnitude import Magnitude as Magnitude
from compecon.compression.importance.random_units import RandomUnits as RandomUnits
from compecon.compression.importance.taylor import Taylor as Taylor
from compecon.compression.importance.uniform_widths import UniformWidths as UniformWidths
from compecon.compression.model_shape import ModelShape as ModelShape
from compecon.compression.onnx import export_onnx as export_onnx
from compecon.compression.prune_model import prune as prune
from compecon.compression.shape import CompactShape as CompactShape
from compecon.compression.units import (
    Units as Units,
    share_of_macs as share_of_macs,
    unit_macs as unit_macs,
)
