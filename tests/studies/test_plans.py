"""Plans know without torch what only torch can do."""

from __future__ import annotations

import pytest

from compecon.compression.importance import IMPORTANCES
from compecon.training.plans import PrunePlan, TrainPlan


@pytest.mark.parametrize("method", IMPORTANCES)
def test_each_name_of_a_method_can_be_run(method):
    assert callable(IMPORTANCES.load(method).score)


@pytest.mark.parametrize("wrong", [{"method": "luck"}, {"target": 0}, {"teacher_share": 2}, {"max_tokens": 1}])
def test_a_pruning_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong)).replace("_", ".")):
        PrunePlan(**wrong)


@pytest.mark.parametrize("wrong", [{"teacher_share": -1}, {"max_tokens": 1}])
def test_a_training_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TrainPlan(**wrong)
