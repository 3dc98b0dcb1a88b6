"""Kerberos for NFS: the name under which clients ask for tickets, and the keytab that the servers read them with."""
