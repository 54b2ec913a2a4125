"""A real mail server on loopback, Postfix and Dovecot, set up by the tests themselves."""
