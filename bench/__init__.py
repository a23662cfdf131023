"""How fast the service is, measured against PostgreSQL on the same machine: `python -m bench`."""
