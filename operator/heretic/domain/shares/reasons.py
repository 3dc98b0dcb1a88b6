"""Reasons that concern file shares."""

from heretic.domain.errors import Reason
from heretic.domain.reasons import Explained, chapter

OF_SHARES = chapter(
    "File shares",
    Explained(
        Reason.VOLUME_NOT_FOUND,
        "A GlusterVolume that is named does not exist.",
        "Apply that volume, or correct the name in the message.",
        code="HVP-C002",
    ),
    Explained(
        Reason.VOLUME_OF_OTHER_PURPOSE,
        "The volume of a share is made for something else.",
        "Name a volume of the purpose that the message says, or make one.",
        code="HVP-C002",
    ),
    Explained(
        Reason.VOLUME_SHARDED,
        "The volume of a share stores files in pieces, which only disk images bear.",
        "Name a volume of the purpose that the message says; files that are there have to be copied.",
        code="HVP-C002",
    ),
    Explained(
        Reason.NO_FILE_SERVER,
        "No Node that can serve files has the role FileServer.",
        "Give the role to Nodes, better to two or more.",
        code="HVP-C002",
    ),
    Explained(
        Reason.ADDRESS_IN_USE,
        "A public address belongs to somebody else already.",
        "Choose another one, or find out who has it.",
        code="HVP-C002",
    ),
    Explained(
        Reason.ACCOUNT_UNKNOWN,
        "A folder names a user or a group that the file servers do not know.",
        "Declare the account, or correct the name.",
        code="HVP-C002",
    ),
    Explained(
        Reason.ACCOUNT_DIFFERS,
        "An account has not the same number on every file server, or is one of the system.",
        "Make the numbers alike, or choose another name.",
        code="HVP-C002",
    ),
    Explained(
        Reason.FILE_SHARES_DIFFER,
        "Two FileShares ask the same server for different things.",
        "Make them alike in what the message names.",
        code="HVP-C002",
    ),
    Explained(
        Reason.LOCK_VOLUME_MISSING,
        "The site has no volume for the lock of its file servers.",
        "Make a GlusterVolume of purpose Lock.",
        code="HVP-C002",
    ),
    Explained(
        Reason.LOCK_NOT_MOUNTED,
        "Something else is mounted where the lock volume belongs.",
        "Unmount it; the message says how.",
    ),
    Explained(
        Reason.CTDB_DIFFERS,
        "CTDB of a file server counts other hosts, or runs with another lock, than is declared.",
        "Do what the message says; CTDB has to be stopped for it.",
    ),
    Explained(
        Reason.CTDB_NOT_RUNNING,
        "CTDB of a file server does not run, or the others do not reach it.",
        "Nothing, unless it lasts; then look at `journalctl -u ctdb` and at the storage network of that host.",
    ),
    Explained(
        Reason.CTDB_NODE_BANNED,
        "CTDB keeps a file server out for some minutes, because it could not recover with it.",
        "Nothing, unless it is banned again; then look at `journalctl -u ctdb` there.",
    ),
    Explained(
        Reason.CTDB_NODE_UNHEALTHY,
        "A file server does not serve: one of CTDB's scripts failed there, or somebody disabled or stopped it.",
        "Mend what the script's words name; `ctdb enable` or `ctdb continue` where somebody took it out.",
    ),
    Explained(
        Reason.ADDRESS_NOT_ASSIGNED,
        "No file server has the public address.",
        "Bring back the file servers that the message names.",
    ),
    Explained(
        Reason.VOLUME_NOT_MOUNTED,
        "Something else is mounted where a volume with files of shares belongs.",
        "Unmount it; the message says how.",
    ),
    Explained(
        Reason.SAMBA_REFUSES,
        "A new configuration of Samba is not understood by testparm; the one before stays in force everywhere.",
        "Correct what the message names, or bring Samba to one version on all file servers.",
    ),
    Explained(
        Reason.SAMBA_NOT_SERVING,
        "The Samba that runs on a file server does not serve what is declared.",
        "Nothing, unless it lasts; then look at `journalctl -u smbd` and /var/log/samba there.",
    ),
    Explained(
        Reason.DOMAIN_UNREACHABLE,
        "A file server finds no controller of its domain; who is connected goes on, and who logs in anew is refused.",
        "See to the controllers, to the name servers that the hosts ask, and to the network between them.",
    ),
    Explained(
        Reason.DOMAIN_LOGON_REFUSED,
        "The domain does not know the account that joins, or refuses its password.",
        "Correct the Secret, and have it tried again as the message says.",
        code="HVP-C002",
    ),
    Explained(
        Reason.DOMAIN_JOIN_FORBIDDEN,
        "The account may not join a computer to the domain there, or remove it.",
        "Give it that right in the domain, and have it tried again as the message says.",
        code="HVP-C002",
    ),
    Explained(
        Reason.DOMAIN_UNIT_MISSING,
        "The domain has no organizational unit of the declared name.",
        "Make it, or correct the name.",
        code="HVP-C002",
    ),
    Explained(
        Reason.DOMAIN_NAME_TAKEN,
        "Another computer of the domain has the name of the file server.",
        "Choose another spec.smb.netbiosName, or delete that account in the domain.",
        code="HVP-C002",
    ),
    Explained(
        Reason.DOMAIN_TRUST_BROKEN,
        "The domain does not take the file server for who it is any more.",
        "Find out who deleted, reset or took its account; then join anew as the message says.",
    ),
    Explained(
        Reason.DOMAIN_KEY_OLD,
        "The file servers' password in the domain was not changed for 30 days, though winbind should do so after 7.",
        "Nothing where the controllers were away until now; else do what the message says, and read winbind's log.",
    ),
    Explained(
        Reason.QUOTA_BELOW_USE,
        "A folder holds more than its new quota; the one before stays in force.",
        "Remove files from it, or raise the quota.",
        code="HVP-C002",
    ),
    Explained(
        Reason.FOLDER_FULL,
        "A folder holds as much as its quota lets it; clients that write there are refused.",
        "Remove files from it, or raise its quota.",
    ),
    Explained(
        Reason.GANESHA_UNSOUND,
        "The NFS-Ganesha of a file server is a version that dies when clients list or remove files.",
        "Install a corrected version on it; docs/reference/platforms.md says which platform has one.",
    ),
    Explained(
        Reason.GANESHA_REFUSES,
        "A new configuration of NFS-Ganesha is refused by one that runs; the one before stays in force everywhere.",
        "Correct what the message names, or bring NFS-Ganesha to one version on all file servers.",
    ),
    Explained(
        Reason.GANESHA_NOT_SERVING,
        "The NFS-Ganesha that runs on a file server does not serve what is declared.",
        "Nothing, unless it lasts; then look at `journalctl -u nfs-ganesha` and /var/log/ganesha there.",
    ),
    Explained(
        Reason.KERBEROS_DOMAIN_MISSING,
        "A FileShare for NFS wants Kerberos of a domain that the file servers have not joined.",
        "Declare the domain in a FileShare for SMB, or correct spec.nfs.realm.",
        code="HVP-C002",
    ),
    Explained(
        Reason.SERVICE_NAME_MISSING,
        "The domain does not know the name under which clients ask for tickets of NFS, and the server may not give it "
        "to itself.",
        "Register the name in the domain as the message says, or choose the hostName that it says.",
        code="HVP-C002",
    ),
    Explained(
        Reason.NOT_SUPPORTED,
        "This version of Heretic does not do that part yet.",
        "Do it by hand, or wait for a version that does.",
    ),
)
