from compecon.compression.compact_model import (
    compact as compact,
    kept_heads as kept_heads,
)
from compecon.compression.elastic.elastic_model import ElasticModel as ElasticModel
from compecon.compression.elastic.price_list import PriceList as PriceList
from compecon.compression.elastic.sizes_offered import sizes_offered as sizes_offered
from compecon.compression.importance import make_importance as make_importance
from compecon.compression.importance.base import Importance as Importance
from compecon.compression.importance.fisher import Fisher as Fisher
from compecon.compression.importance.magnitude import Magnitude as Magnitude
from compecon.compression.importance.random_units import RandomUnits as RandomUnits
from compecon.compression.importance.taylor import Taylor as Taylor
from compecon.compression.importance.uniform_widths import UniformWidths as UniformWidths
from compecon.compression.last_layer import (
    at_one_position as at_one_position,
    every_position as every_position,
    serve_one_position as serve_one_position,
)
from compecon.compression.model_shape import ModelShape as ModelShape
from compecon.compression.onnx import export_onnx as export_onnx
from compecon.compression.prune_model import prune as prune
from compecon.compression.read_position import position_read as position_read
from compecon.compression.shape import CompactShape as CompactShape
from compecon.compression.units import (
    UnitMacs as UnitMacs,
    Units as Units,
    share_of_macs as share_of_macs,
    unit_macs as unit_macs,
)
