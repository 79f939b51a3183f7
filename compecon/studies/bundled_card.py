"""Facts about each bundled checkpoint, and the model card that states them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from compecon.checkpoints.bundle import WEIGHTS, ReportedMetric
from compecon.checkpoints.model_card import markdown_table, model_card, with_interval
from compecon.training.training_settings import FineTuneSettings


@dataclass(frozen=True)
class Source:
    """A data set a checkpoint learnt from."""

    name: str  # as people know it
    hub_id: str  # its name on the Hub, for the card's metadata
    licence: str  # its terms in words


@dataclass(frozen=True)
class Facts:
    """What does not depend on the training run."""

    title: str  # as shown in a list of checkpoints
    purpose: str  # what it says about a text, in a sentence
    pipeline: str  # the Hub's name of the task
    licence: str  # licence id of the weights
    sources: Sequence[Source]  # what it learnt from
    recipe: str  # how, in words; the settings follow on their own
    limits: str  # what it cannot do, in a sentence or two, for choosing between checkpoints
    not_good_for: str  # the rest of what it should not be used for
    from_encoder: bool = True  # whether it was cut from the pretrained encoder


_SST2 = Source("SST-2", "SetFit/sst2", "Stanford Sentiment Treebank; no licence stated")
_STSB = Source("STS benchmark", "mteb/stsbenchmark-sts", "scores CC BY-SA 4.0")
_MNLI = Source("MultiNLI", "nyu-mll/glue", "mostly the terms of the Open American National Corpus: free use")
_SICK = Source("SICK", "RobZamp/sick", "CC BY-NC-SA 3.0")
_BROWN = Source("Brown corpus (not if from the Hub)", "brown", "non-commercial use")
_WIKITEXT = Source(
    "WikiText-2, validation articles (train articles if from the Hub)", "Salesforce/wikitext", "CC BY-SA"
)
_STORIES = Source("TinyStories", "roneneldan/TinyStories", "CDLA-Sharing 1.0")
_SMALL = (
    "Small on purpose, so that it runs on a laptop while a slider is dragged; larger models are better at the task."
)

FACTS: Mapping[str, Facts] = {
    "sentiment": Facts(
        title="Sentiment of a sentence (SST-2)",
        purpose="Classifies an English sentence of a film review as negative or positive.",
        pipeline="text-classification",
        licence="apache-2.0",
        sources=(_SST2,),
        recipe="A classifier on all six layers was fine-tuned first and taught the three layers kept here: their "
        "loss is 30% cross-entropy and 70% divergence from the teacher's logits at temperature 2.",
        limits="Made for sentences of film reviews. There is no neutral class: texts without an opinion get an answer "
        "too.",
        not_good_for="It was not trained on irony, on subjects other than films, or on texts longer than a few "
        f"sentences; the table above shows how well it does beyond films. {_SMALL}",
    ),
    "similarity": Facts(
        title="Similarity of two sentences (STS-B)",
        purpose="Scores how alike two English sentences are in meaning, from 0 (unrelated) to 5 (the same). It reads "
        "both at once, so the attention from one sentence to the other can be seen.",
        pipeline="text-classification",
        licence="cc-by-sa-4.0",
        sources=(_STSB,),
        recipe="First round: 31 thousand pairs made of the sentences of the train split (a close neighbour, a distant "
        "one, any other), scored by the cosine of the pretrained encoder's sentence embeddings, since 5,749 pairs "
        "are too few to learn to read two sentences at once. Last round: the train split itself. Both by "
        "squared error.",
        limits="Made for pairs of sentences like those of STS-B; a score by itself does not say that two are the same.",
        not_good_for="Not a search engine: it has to read every pair. A score may fall outside 0 to 5. The order "
        f"of the two sentences can change it a little. {_SMALL}",
    ),
    "entailment": Facts(
        title="Does one sentence follow from another? (SICK, MultiNLI)",
        purpose="Classifies whether the first of two English sentences entails the second, contradicts it, or neither.",
        pipeline="text-classification",
        licence="cc-by-nc-sa-3.0",
        sources=(_SICK, _MNLI),
        recipe="First round: 6% of MultiNLI's train split. Last round: SICK's train split and as many rows of "
        "MultiNLI.",
        limits="Good only on SICK's own pairs. On other sentences, descriptions of scenes included, it is often wrong "
        "and rarely finds a contradiction: use it to watch attention, never to decide.",
        not_good_for="Descriptions of scenes in general. SICK's pairs are variations of few sentences: neutral is "
        "right in 57% of them, and nine contradictions in ten hold a negation, which is what it learnt. "
        "On SNLI's 9,842 dev pairs, descriptions of scenes too, it scores 46.7% and finds 4% of the contradictions "
        "(quoted: SNLI is not among the data that `compecon remeasure` reads). On the varied English of MultiNLI it is "
        f"above chance (33%) and far below full-size models (85% and more). {_SMALL}",
    ),
    "causal": Facts(
        title="Next token, tiny and trained from scratch",
        purpose="Continues an English text one token at a time, so that causal attention can be watched.",
        pipeline="text-generation",
        licence="other",
        sources=(_BROWN, _WIKITEXT, _STORIES),
        recipe="A byte-level vocabulary and a GPT-2 shape, both trained from scratch. What it learnt from may not be "
        "used commercially (Brown); treat the weights likewise.",
        limits="Trained on little text: it writes English-looking nonsense and knows nothing.",
        not_good_for="It invents words: it was trained on two passes over 1.25 million words. Perplexity by token "
        "depends on its own vocabulary and cannot be compared with that of other models; perplexity by word (the "
        "exponent of all nats over the words and punctuation marks of WikiText's own tokenization) can, and is poor.",
        from_encoder=False,
    ),
}


def bundled_card(
    facts: Facts,
    rounds: Mapping[str, FineTuneSettings],
    seed: int,
    metrics: Sequence[ReportedMetric],
    sha256: str,
    beyond: Sequence[ReportedMetric] = (),
) -> str:
    """README.md of a dense checkpoint; `rounds` are settings of each round of its training."""
    base = (
        "\n\nCut from all-MiniLM-L6-v2 (Apache-2.0): first three layers, vocabulary re-spelled on 8,000 pieces, "
        "embeddings frozen and shared by the encoders of this bundle (`../shared/embeddings.safetensors`)."
    )
    measured = (
        "On the saved float16 weights, computed in float32. In brackets: 95% bootstrap interval over the rows or "
        "documents.",
        *metric_tables(metrics, beyond),
    )
    recipe = (
        f"{facts.recipe} Seed {seed}; AdamW with a linear warm-up and a linear decay of the learning rate.",
        "\n".join(f"- {what}: {_in_words(settings)}" for what, settings in rounds.items()),
        "Repeat it with `compecon bundle`: the same versions and kind of processor give the same numbers, others "
        "similar ones.",
        "Learnt from, never from the rows measured above:",
        "\n".join(f"- {source.name}: {source.licence}." for source in facts.sources),
    )
    return card_of(facts, facts.title, f"{facts.purpose}{base if facts.from_encoder else ''}", measured, recipe, sha256)


def card_of(facts: Facts, title: str, about: str, measured: Iterable[str], recipe: Iterable[str], sha256: str) -> str:
    """README.md of a bundled checkpoint, `sha256` being that of its weights file."""
    header = {
        "language": "en",
        "license": facts.licence,
        "license_name": "data-terms-apply" if facts.licence == "other" else "",
        "base_model": "sentence-transformers/all-MiniLM-L6-v2" if facts.from_encoder else "",
        "pipeline_tag": facts.pipeline,
        "library_name": "transformers",
        "datasets": [source.hub_id for source in facts.sources if "/" in source.hub_id],
    }
    limits = ("## Not good for", f"{facts.limits} {facts.not_good_for}", f"`{WEIGHTS}` sha256: `{sha256}`")
    return model_card(header, title, (about, "## Measured", *measured, "## Recipe", *recipe, *limits))


def metric_tables(metrics: Sequence[ReportedMetric], beyond: Sequence[ReportedMetric]) -> Iterator[str]:
    """A table of numbers, and another one of those on data that the checkpoint did not learn from, if any."""
    yield _metric_table("split", metrics)
    if beyond:
        yield "On data used neither to train nor to choose it:"
        yield _metric_table("data", beyond)


def _metric_table(where: str, metrics: Sequence[ReportedMetric]) -> str:
    rows = [(m.name, m.split, with_interval(m.value, m.low, m.high), f"{m.n:,}") for m in metrics]
    return markdown_table(("metric", where, "value", "n"), rows)


def _in_words(settings: FineTuneSettings) -> str:
    return (
        f"{settings.epochs:g} epochs in batches of {settings.batch_size}, "
        f"peak learning rate {settings.learning_rate:g} ({settings.head_multiplier:g} times that in the head), "
        f"weight decay {settings.weight_decay:g}, warm-up over {settings.warmup:.0%} of the steps"
        f"{f', {settings.precision} autocast' if settings.precision != 'float32' else ''}"
    )
