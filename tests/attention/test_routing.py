import subprocess
import sys

import pytest

from compecon.attention.hooks import require_routed
from compecon.attention.routing import is_routed


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "gpt2", "llama", "t5", "clip_text_model"])
def test_architectures_on_the_interface_are_known_to_be_routed(kind):
    assert is_routed(kind) is True


@pytest.mark.parametrize("kind", ["mpnet", "deberta", "deberta-v2", "longformer", "bloom", "xlnet", "gpt_neo", "gptj"])
def test_architectures_with_their_own_attention_are_known_not_to_be(kind):
    assert is_routed(kind) is False


@pytest.mark.parametrize("kind", ["resnet", "no-such-model", "", "../bert"])
def test_nothing_is_claimed_of_others(kind):
    assert is_routed(kind) is None


def test_the_text_agrees_with_the_loaded_model(family):
    model = family.model()
    require_routed(model)
    assert is_routed(model.config.model_type) is True


def test_asking_loads_neither_torch_nor_transformers():
    code = (
        "import sys; from compecon.attention.routing import is_routed; assert is_routed('bert'); "
        "sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
