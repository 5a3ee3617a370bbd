"""Breaks of spectra and moments that a test must notice."""

from tests.sabotage import Sabotage

MOMENTS, SPECTRA = "workbench/analysis/_moments.py", "workbench/analysis/spectra.py"
TEST = "tests/unit/test_spectra.py::test_"


def broken(target: str, find: str, replace: str, why: str, *tests: str) -> Sabotage:
    return Sabotage(target, find, replace, [TEST + test for test in tests], why)


SABOTAGES = [
    broken(
        SPECTRA,
        "seen(streamed.eigenvalues(), floor)",
        "seen(streamed.eigenvalues(False), floor)",
        "uncentred",
        "singular_values_of_the_centred_rows",
    ),
    broken(
        SPECTRA,
        "Spectrum(np.sqrt(found), int(streamed.n)",
        "Spectrum(found, int(streamed.n)",
        "eigenvalues for singular values",
        "what_does_not_change_a_spectrum_and_what_scales_it",
    ),
    broken(
        SPECTRA,
        "isotropic_eigenvalues(n - 1, d)",
        "isotropic_eigenvalues(n, d)",
        "forgets that the mean takes a degree",
        "the_isotropic_reference_has_the_energy_asked_for",
    ),
    broken(
        SPECTRA,
        "mean * np.sqrt(energy / total)",
        "mean * (energy / total)",
        "energy not under the root",
        "the_isotropic_reference_has_the_energy_asked_for",
    ),
    broken(
        MOMENTS,
        "shift = first.mean(0, dtype=np.float64) if shift is None else shift",
        "shift = np.zeros(first.shape[1]) if shift is None else shift",
        "rows not shifted",
        "a_distant_float32_cloud_keeps_its_spectrum",
    ),
    broken(
        MOMENTS,
        "    return np.where(eigenvalues > limit, eigenvalues, 0.0)",
        "    return np.abs(eigenvalues)",
        "rounding passes for directions",
        "a_dead_direction_has_no_singular_value",
    ),
    broken(MOMENTS, "self.n - other.n", "self.n", "keeps the count", "moments_are_subtracted_not_computed_again"),
    broken(
        MOMENTS,
        "found + self.n * np.outer(self.mean, self.mean)",
        "found + np.outer(self.mean, self.mean)",
        "the mean counted once",
        "moments_are_subtracted_not_computed_again",
    ),
    broken(
        MOMENTS, "total + sums, np.add", "sums, np.add", "only the last block", "blocks_add_up", "a_stream_is_read_once_from_disk_or_blocks"
    ),
    broken(
        MOMENTS,
        "np.subtract(rows, shift.astype(precision), dtype=precision)",
        'np.subtract(rows, shift.astype("float32"), dtype="float32")',
        "always float32",
        "float32_products_are_near_and_say_what_they_cannot_tell",
    ),
    broken(
        MOMENTS,
        "block.sum(0, dtype=torch.float64).cpu()",
        "block.sum(0, dtype=torch.float64).abs().cpu()",
        "a device that sums sizes",
        "a_device_multiplies_the_same",
    ),
    broken(
        MOMENTS,
        "        if not np.isfinite(sums).all():",
        "        if False:",
        "streams numbers that are none",
        "a_stream_is_refused_with_the_place_of_what_is_wrong",
    ),
    broken(
        MOMENTS,
        "        if rows.shape[1:] != total.shape:",
        "        if False:",
        "blocks of other widths",
        "a_stream_is_refused_with_the_place_of_what_is_wrong",
    ),
    broken(
        MOMENTS,
        "    if first is None:",
        "    if False:",
        "nothing taken for a cloud",
        "a_stream_is_refused_with_the_place_of_what_is_wrong",
    ),
    broken(MOMENTS, "    if rows.ndim != 2 or not rows.size:", "    if False:", "any shape", "bad_features_are_refused"),
    broken(
        SPECTRA,
        "found >= TRUSTED[precision] * found[0]",
        "found >= 0",
        "float32 trusted to the last",
        "float32_products_are_near_and_say_what_they_cannot_tell",
    ),
    broken(
        MOMENTS,
        "large - np.arange(small)",
        "large - 1 - np.arange(small)",
        "a degree of freedom short",
        "isotropic_eigenvalues_are_those_of_gaussian_rows",
    ),
    broken(
        MOMENTS,
        "        return 0.0\n    scale",
        "        return 0.0\n    return 0.0\n    scale",
        "no floor",
        "nothing_is_read_below_the_float16_floor",
    ),
    broken(
        MOMENTS,
        "moved = rows - (rows.mean(0, dtype=np.float64) if centred else 0.0)",
        "moved = rows - (0.0 if centred else rows.mean(0, dtype=np.float64))",
        "centred and uncentred swapped where rows are few",
        "singular_values_of_the_centred_rows",
    ),
    broken(MOMENTS, "    if not np.isfinite(rows).all():", "    if False:", "takes numbers that are none", "bad_features_are_refused"),
]
