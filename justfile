# Recipes for who has `just`; each is one command that works without it too.

# Checks everything: `just test --all`, `just test -- tests/core`.
test *arguments:
    ./test {{arguments}}

# Starts the service, with a simulated Stripe unless Stripe's variables are set.
run:
    ./run

# Measures the service against PostgreSQL on this machine: `just bench --quick`.
bench *arguments:
    .venv/bin/python -m bench {{arguments}}
