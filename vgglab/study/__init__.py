"""The experiments behind the course's claims, over several seeds: `python -m vgglab.study` runs them."""

from vgglab.study.tables import claims_ledger, lesson_claims, study_curves, study_ends

__all__ = ["claims_ledger", "lesson_claims", "study_curves", "study_ends"]
