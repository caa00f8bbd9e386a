"""A page in Airflow's menu: the published days and their reports."""
