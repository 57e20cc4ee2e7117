"""Every experiment by the name that models/mechanisms.csv gives it, and its answer in each mode."""

from __future__ import annotations

from functools import cache

import experiments_accounts as accounts
import experiments_bijstand as bijstand
import experiments_choice as choice
import experiments_provisions as provisions
from mechanism import Experiment, Finding, mechanisms
from social_model import SocialDomain

EXPERIMENTS = {
    experiment.find.__name__: experiment
    for experiment in (
        Experiment(bijstand.return_path),
        Experiment(accounts.transfers, (accounts.BENEFITS,)),
        Experiment(bijstand.income_security_loop),
        Experiment(bijstand.tightness),
        Experiment(bijstand.fast_exit),
        Experiment(choice.clashing_limits, (choice.SIGN,)),
        Experiment(bijstand.who_is_moved),
        Experiment(accounts.broad_benefits, (accounts.INSURED_CARE,)),
        Experiment(provisions.worse_before_better),
        Experiment(choice.horizons, (choice.SHORT, choice.LONG)),
        Experiment(provisions.overload),
        Experiment(provisions.complementarity),
        Experiment(provisions.less_overhead),
        Experiment(provisions.learning),
        Experiment(choice.municipalities, (choice.DIFFERENCE,)),
        Experiment(provisions.nipped_in_the_bud),
        Experiment(provisions.less_counting),
        Experiment(provisions.cap),
        Experiment(accounts.budget, (accounts.OWN_CONTRIBUTIONS,)),
    )
}


@cache
def finding(mechanism_id: str, mode: str) -> Finding:
    """What the test of a mechanism finds as it is, switched off, or reversed."""
    row = next(row for row in mechanisms() if row.id == mechanism_id)
    return EXPERIMENTS[row.test_name].find(SocialDomain(), row.settings(mode))
