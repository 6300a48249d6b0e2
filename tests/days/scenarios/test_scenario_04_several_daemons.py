"""Scenario 4, several daemons over one database: everything is told once, also when one of them is killed.

Elsewhere:
    tests/crash/test_three_daemons.py::test_a_thousand_due_cases_three_daemons_one_killed
    tests/days/test_days_trouble.py::test_two_daemons_on_one_database_tell_everything_once
    tests/days/test_days_reach.py::test_two_daemons_watch_once
    tests/daemon/store/test_outbox.py::test_two_claimants_never_get_the_same_message
    tests/daemon/store/test_outbox.py::test_an_alert_that_joins_while_another_process_claims_is_sent_with_it_or_after_it
    tests/daemon/store/test_engine.py::test_a_second_daemon_on_one_file_is_refused_until_the_first_has_gone
"""
