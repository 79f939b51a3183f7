"""Plans know without torch what only torch can do."""

from __future__ import annotations

from typing import get_args

import pytest

from compecon.compression.importance import IMPORTANCES
from compecon.training.plans import PruneMethod, PrunePlan, TrainPlan


def test_each_name_of_a_method_can_be_run():
    assert tuple(IMPORTANCES) == get_args(PruneMethod)


@pytest.mark.parametrize("wrong", [{"method": "luck"}, {"target": 0}, {"teacher_share": 2}, {"max_tokens": 1}])
def test_a_pruning_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong)).replace("_", ".")):
        PrunePlan(**wrong)


@pytest.mark.parametrize("wrong", [{"teacher_share": -1}, {"max_tokens": 1}])
def test_a_training_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TrainPlan(**wrong)
