"""The statements of the tests that differ between MySQL and PostgreSQL."""

from __future__ import absolute_import

# The server's number for the session that asks.
SESSION_ID = {
    "mysql": "SELECT CONNECTION_ID()",
    "postgresql": "SELECT pg_backend_pid()",
}
# The numbers of all sessions of clients.
SESSIONS = {
    "mysql": "SELECT id FROM information_schema.processlist",
    "postgresql": "SELECT pid FROM pg_stat_activity"
    " WHERE backend_type = 'client backend'",
}
# End the session with this number.
KILL = {"mysql": "KILL %d", "postgresql": "SELECT pg_terminate_backend(%d)"}
# A query that takes so many seconds.
SLEEP = {"mysql": "SELECT SLEEP(%s)", "postgresql": "SELECT pg_sleep(%s)"}
# The second column is the version of TLS.
ENCRYPTION = {
    "mysql": "SHOW SESSION STATUS LIKE 'Ssl_version'",
    "postgresql": "SELECT pid, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
}
