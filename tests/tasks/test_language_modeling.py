import zipfile

import pytest

from compecon.tasks.readers.language_modeling import WIKITEXTS, plain, read_corpus, read_wikitext

ARTICLE = (
    " \n = Lobster = \n \n The <unk> is big . It swims at 3 @.@ 5 knots . \n \n = = Habitat = = \n \n The sea . \n"
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "brown").mkdir()
    with zipfile.ZipFile(tmp_path / "brown" / "brown.zip", "w") as archive:
        archive.writestr("brown/README", "not a text")
        for i in range(1, 22):
            archive.writestr(f"brown/ca{i:02}", f"\n\tFile/nn {i}/cd ``/`` said/vbd ''/'' ,/, and/or/cc left/vbd ./.\n")
    for name, text in {"wikitext2/valid.txt": ARTICLE, "wikitext2_raw/wiki.test.raw": ARTICLE + ARTICLE}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    (tmp_path / "tinystories_sample").mkdir()
    (tmp_path / "tinystories_sample" / "a.txt").write_text("One day.\n\nThe end.")
    return tmp_path


def test_every_twentieth_document_is_kept_from_training(folder):
    corpus = read_corpus(folder)
    assert [document.text.split()[1] for document in corpus.part("dev")] == ["1", "21"]
    assert len(corpus.part("train")) == 19 + 1 + 1  # brown, wikitext, stories


def test_brown_loses_its_tags_and_tex_quotes(folder):
    assert read_corpus(folder).part("dev")[0].text == 'File 1 "said", and/or left.'


def test_training_articles_lose_sentences_with_unknown_words_and_test_articles_keep_everything(folder):
    corpus = read_corpus(folder)
    assert not any("<unk>" in document.text for document in corpus.part("train"))
    assert any("It swims at 3.5 knots" in document.text for document in corpus.part("train"))
    assert "The <unk> is big." in corpus.part("test")[0].text


def test_articles_are_cut_at_their_titles_not_at_their_sections_and_count_their_own_words(folder):
    test = read_corpus(folder).part("test")
    assert len(test) == 2
    assert test[0].words == len(ARTICLE.split())


def test_a_folder_without_training_texts_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="0 training texts"):
        read_corpus(tmp_path)


@pytest.mark.parametrize(
    ("corpus", "spelled"),
    [
        ("a two @-@ part , 1 @,@ 000 @-@ page episode .", "a two-part, 1,000-page episode."),
        ('he said " yes " and " no " .', 'he said "yes" and "no".'),
        ("it is n't Bob 's ; they 're late !", "it isn't Bob's; they're late!"),
        ("( see [ 3 ] )", "(see [3])"),
        ("$ 5 % of one : two", "$5% of one: two"),
    ],
)
def test_plain_spells_as_people_do(corpus, spelled):
    assert plain(corpus) == spelled


def test_real_corpus_has_the_62_test_articles_of_wikitext(data_dir):
    corpus = read_corpus(data_dir)
    assert len(corpus.part("test")) == 62
    assert sum(document.words for document in corpus.part("test")) == pytest.approx(241_211, rel=0.01)


ARTICLES = " \n = One = \n \n A @-@ b . \n \n = = Part = = \n c \n = Two = \n d \n"


@pytest.mark.parametrize(("name", "home"), WIKITEXTS.items())
def test_the_splits_that_are_there_are_read_as_they_are_spelled(tmp_path, name, home):
    (tmp_path / home).mkdir()
    for file in ("wiki.train.raw", "wiki.test.raw"):
        (tmp_path / home / file).write_text(ARTICLES)
    task = read_wikitext(tmp_path, name)
    assert (task.name, list(task.splits), task.reported) == (name, ["train", "test"], ("test",))
    assert task.part("test")[0].text.startswith("= One = \n \n A @-@ b .")
    assert sum(document.words for document in task.part("test")) == len(ARTICLES.split())
    assert (task.metric, task.higher_is_better, task.kind) == ("perplexity", False, "language")


def test_an_absent_folder_is_said_by_the_files_it_should_hold(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"wiki\.train\.raw, wiki\.valid\.raw, wiki\.test\.raw"):
        read_wikitext(tmp_path, "wikitext-2")


def test_a_file_without_titles_is_refused(tmp_path):
    (tmp_path / "wikitext2_raw").mkdir()
    (tmp_path / "wikitext2_raw" / "wiki.test.raw").write_text("no title\n")
    with pytest.raises(ValueError, match="no article in"):
        read_wikitext(tmp_path, "wikitext-2")


def test_real_test_articles_hold_every_word_of_the_file(data_dir):
    text = (data_dir / "wikitext2_raw" / "wiki.test.raw").read_text(encoding="utf-8")
    documents = read_wikitext(data_dir, "wikitext-2").part("test")
    assert sum(document.words for document in documents) == len(text.split())
