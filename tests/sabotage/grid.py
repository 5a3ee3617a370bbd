"""Breaks of the grid of thumbnails that its tests must notice."""

from tests.sabotage import Sabotage

THUMBNAILS, TILES, DATA = "tests/unit/test_thumbnails.py", "tests/unit/test_tiles.py", "tests/app/test_data.py"
SABOTAGES = [
    Sabotage(
        "workbench/thumbnails.py",
        'return folder() / name[:2] / f"{name}.jpg"',
        'return folder() / name[:2] / f"{key}.jpg"',
        [f"{THUMBNAILS}::test_no_key_leads_out_of_the_cache"],
        "a key of a data set writes where it likes",
    ),
    Sabotage(
        "workbench/thumbnails.py",
        "for at, key in enumerate(keys if shown else ()):",
        "for at, key in enumerate(keys):",
        [f"{THUMBNAILS}::test_what_is_withheld_is_never_opened"],
        "films the terms withhold are drawn",
    ),
    Sabotage(
        "workbench/thumbnails.py",
        "Pillow.Resampling.BOX if scale < 1",
        "Pillow.Resampling.NEAREST if scale < 1",
        [f"{THUMBNAILS}::test_a_pixel_of_a_thumbnail_is_the_mean_of_what_it_covers"],
        "a nodule between two sampled pixels is gone",
    ),
    Sabotage(
        "workbench/thumbnails.py",
        "np.percentile(sample, (1, 99))",
        "np.percentile(sample, (0, 100))",
        [f"{THUMBNAILS}::test_deep_films_are_windowed_and_outliers_do_not_darken_the_rest"],
        "one hot pixel darkens the film",
    ),
    Sabotage(
        "workbench/thumbnails.py",
        "if len(names) >= KEPT:",
        "if False:",
        [f"{THUMBNAILS}::test_a_full_folder_gives_up_its_older_half"],
        "the cache grows without end",
    ),
    Sabotage(
        "workbench/tiles.py",
        "zip(window, public(self.dataset, keys), why)",
        "zip(window, keys, why)",
        [f"{TILES}::test_below_open_terms_keys_are_hashed_and_what_is_withheld_has_no_pixels"],
        "keys of a restricted data set reach the browser",
    ),
    Sabotage(
        "workbench/tiles.py",
        'if not isinstance(asked, Mapping) or asked.get("of") != self.token:',
        "if not isinstance(asked, Mapping):",
        [f"{TILES}::test_a_click_is_a_key_of_these_keys_or_nothing"],
        "a click on one selection chooses a study of another",
    ),
    Sabotage(
        "workbench/tiles.py",
        "min(max(count, 1), MOST)",
        "max(count, 1)",
        [f"{TILES}::test_whatever_a_browser_asks_the_answer_is_a_window_of_what_there_is"],
        "one question draws every film of the data set",
    ),
    Sabotage(
        "workbench/tiles.py",
        "np.where(missing, 0.0, -ranks if descending else ranks)",
        "np.where(missing, 0.0, ranks)",
        [f"{TILES}::test_numbers_are_ordered_by_size_ties_as_given_and_what_is_unknown_last"],
        "the largest are the smallest",
    ),
    Sabotage(
        "workbench/exports.py",
        'if dataset is not None and dataset.terms == "open" else',
        'if dataset is None or dataset.terms != "credentialed" else',
        [f"{TILES}::test_the_csv_of_a_selection_holds_keys_as_far_as_the_terms_allow"],
        "keys that may not be passed on leave as a file",
    ),
    Sabotage(
        "workbench/gridwidget.py",
        'shown = dataset.terms == "open" if films is None else films',
        "shown = films is None or films",
        [f"{TILES}::test_a_notebook_file_keeps_films_below_open_terms_only_where_asked"],
        "a notebook that is passed on holds films that may not be",
    ),
    Sabotage(
        "app/grid.py",
        'loaded is not None and loaded.allowed != "nothing"',
        "loaded is not None",
        [f"{DATA}::test_films_of_a_credentialed_set_reach_the_grid_once_the_reader_asked"],
        "films of a credentialed set are shown to whoever opens the page",
    ),
]
