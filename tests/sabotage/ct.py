"""Breaks of the CT engine that a test must notice."""

from tests.sabotage import Sabotage

TEST, HERE = "tests/unit/test_ct.py", "workbench/phantom/ct"
SABOTAGES = [
    Sabotage(
        f"{HERE}/scan.py",
        "voxels.transpose(2, 1, 0)[:, ::-1, ::-1]",
        "voxels.transpose(2, 1, 0)[:, ::-1]",
        [f"{TEST}::test_a_scan_is_turned_into_patient_axes_without_its_table"],
        "right and left change places",
    ),
    Sabotage(
        f"{HERE}/scan.py",
        "hounsfield[~body_of(hounsfield)] = TABLE",
        "body_of(hounsfield)",
        [f"{TEST}::test_a_scan_is_turned_into_patient_axes_without_its_table"],
        "the table stays under the patient",
    ),
    Sabotage(
        f"{HERE}/scan.py",
        "np.where(bone, hounsfield, np.minimum(hounsfield, CONTRAST))",
        "np.where(bone, hounsfield, np.maximum(hounsfield, CONTRAST))",
        [f"{TEST}::test_a_contrast_agent_is_taken_away_and_bone_is_not"],
        "a contrast agent looks like bone",
    ),
    Sabotage(
        f"{HERE}/scan.py",
        "if raw.shape != marked.shape:",
        "if False:",
        [f"{TEST}::test_what_is_missing_is_said_in_one_sentence"],
        "labels of another CT are taken",
    ),
    Sabotage(
        f"{HERE}/bend.py",
        "return np.stack([left, up, -front])",
        "return np.stack([left, up, front])",
        [
            f"{TEST}::test_a_scan_is_turned_into_patient_axes_without_its_table",
            f"{TEST}::test_without_bend_it_sees_what_the_closed_forms_see",
        ],
        "the back is in front",
    ),
    Sabotage(
        f"{HERE}/bend.py",
        "np.expm1(-self.growth)",
        "np.expm1(self.growth)",
        [f"{TEST}::test_an_enlarged_heart_is_wider_and_moves_nothing_far_away"],
        "an enlarged heart shrinks",
    ),
    Sabotage(
        f"{HERE}/bend.py",
        "np.exp(-way * at[0] / 1.5)",
        "np.exp(way * at[0] / 1.5)",
        [f"{TEST}::test_lost_volume_draws_dome_and_mediastinum_to_its_side"],
        "the other dome rises",
    ),
    Sabotage(
        f"{HERE}/bend.py",
        'rng(study.seed, "ct warp", 0, study.patient_index)',
        'rng(study.seed, "ct warp", 0, study.number)',
        [f"{TEST}::test_patients_differ_and_studies_of_one_patient_share_their_shape"],
        "a patient is another person at the next visit",
    ),
    Sabotage(
        f"{HERE}/edits.py",
        "level = 0.8 * finding.size",
        "level = -0.8 * finding.size",
        [f"{TEST}::test_findings_hold_what_their_sizes_say"],
        "more fluid stands lower",
    ),
    Sabotage(
        f"{HERE}/edits.py",
        "return found.astype(np.float32), lung.inside & ~kept",
        "return found.astype(np.float32), kept",
        [f"{TEST}::test_findings_hold_what_their_sizes_say"],
        "the mask of a pneumothorax is the lung",
    ),
    Sabotage(
        f"{HERE}/kernels.py",
        "tissue += max(1 - share, 0.0)",
        "tissue += 1",
        [f"{TEST}::test_every_voxel_is_the_mixture_that_has_its_attenuation"],
        "bone is counted as soft tissue as well",
    ),
    Sabotage(
        f"{HERE}/paths.py",
        "turned(study).T @ seen",
        "turned(study) @ seen",
        [f"{TEST}::test_without_bend_it_sees_what_the_closed_forms_see"],
        "turns the patient the other way",
    ),
]
