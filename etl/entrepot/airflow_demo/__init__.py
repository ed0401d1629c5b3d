"""`make airflow`: a demonstration site, its hospital dropping files, and Airflow on it.

Wiring only: everything that it shows runs in the DAGs.
"""

from entrepot.airflow_demo.hospital import Demo, prepare
from entrepot.airflow_demo.standalone import Standalone, environment, free_port

__all__ = ["Demo", "Standalone", "environment", "free_port", "prepare"]
