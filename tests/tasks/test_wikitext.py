import pytest

from compecon.tasks.readers.language_modeling import WIKITEXTS, read_wikitext

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
