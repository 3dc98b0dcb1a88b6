"""The variables of oVirt's role hosted_engine_setup, and the playbook that runs it."""

import json
from ipaddress import IPv4Network

from heretic.api.quantity import parse_bytes
from heretic.api.v1alpha1 import GlusterVolume, HostedEngine, Node
from heretic.api.v1alpha1.self_hosted import NetworkTest
from heretic.domain.declared.names import peer_name
from heretic.domain.declared.view import SiteView
from heretic.domain.hosted_engine.first_host import is_to_be_restored

FOLDER = "/run/heretic/engine"
"""In memory: what lies there does not outlive a boot."""

PLAYBOOK, VARIABLES, PASSWORD = f"{FOLDER}/deploy.yml", f"{FOLDER}/variables.json", f"{FOLDER}/password"
ROOT_KEY = f"{FOLDER}/root.pub"
"""What may log in as root on the engine's machine: the public half of the key that opens the site's hosts."""

PLAYBOOK_TEXT = f"""\
# Written by Heretic. The password is read once and its file removed before anything else is done.
- name: Deploy the engine
  hosts: localhost
  connection: local
  tasks:
    - name: Read the password
      block:
        - name: Keep the password in memory
          ansible.builtin.set_fact:
            he_admin_password: "{{{{ lookup('ansible.builtin.file', '{PASSWORD}') }}}}"
            he_appliance_password: "{{{{ lookup('ansible.builtin.file', '{PASSWORD}') }}}}"
          no_log: true
      always:
        - name: Remove the file with the password
          ansible.builtin.file:
            path: {PASSWORD}
            state: absent
    - name: Run oVirt's role
      ansible.builtin.include_role:
        name: ovirt.ovirt.hosted_engine_setup
      vars:
        he_root_ssh_pubkey: "{{{{ lookup('ansible.builtin.file', '{ROOT_KEY}') }}}}"
"""

_TESTS = {NetworkTest.DNS: "dns", NetworkTest.PING: "ping", NetworkTest.TCP: "tcp", NetworkTest.NONE: "none"}

Variables = dict[str, str | int | bool]


def variables(
    engine: HostedEngine, view: SiteView, volume: GlusterVolume, node: Node, *, interface: str, cpu_type: str
) -> Variables:
    """What the role is told; no secret is among it.

    Args:
        engine: What is declared; of deployment SelfHosted.
        view: The declared site.
        volume: On which the engine's machine lies.
        node: On which the engine is deployed.
        interface: Of that host, for the bridge ovirtmgmt.
        cpu_type: Of the cluster; "" = the engine chooses.
    """
    spec = engine.spec.self_hosted
    assert spec is not None
    machine, name = spec.virtual_machine, node.metadata.name
    others = [peer_name(view, b.node) for b in volume.status.bricks if b.node != name]
    servers = ":".join(dict.fromkeys(others))
    found: Variables = {
        "he_fqdn": engine.spec.fqdn,
        "he_bridge_if": interface,
        "he_mem_size_MB": parse_bytes(machine.memory) // 2**20,
        "he_vcpus": machine.cpus,
        "he_disk_size_GB": -(-parse_bytes(machine.disk_size) // 2**30),
        "he_domain_type": "glusterfs",
        "he_storage_domain_addr": peer_name(view, name),
        "he_storage_domain_path": f"/{volume.spec.volume_name or volume.metadata.name}",
        "he_mount_options": f"backup-volfile-servers={servers}" if servers else "",
        "he_enable_hc_gluster_service": True,
        "he_data_center": engine.spec.data_center.name,
        "he_cluster": engine.spec.cluster.name,
        "he_host_name": name,
        # As every other host is added: by it the Node finds its host in the engine, and it needs no name server.
        "he_host_address": node.spec.address,
        "he_network_test": _TESTS[spec.network_test],
        "he_ipv4_subnet_prefix": str(IPv4Network(spec.nat_subnet).network_address).rpartition(".")[0],
        # With the pauses, the role waits a day for somebody to remove a file.
        "he_pause_after_failed_add_host": False,
        "he_pause_after_failed_restore": False,
    }
    if spec.restore and is_to_be_restored(engine):
        # The package stays, so that its version can be compared again for another try.
        found |= {"he_restore_from_file": spec.restore.file, "he_remove_appliance_rpm": False}
    optional: Variables = {
        "he_vm_mac_addr": machine.mac_address,
        "he_cluster_cpu_type": engine.spec.cluster.cpu_type or cpu_type,
        "he_gateway": spec.gateway,
        "he_tcp_t_address": spec.test_address.rpartition(":")[0],
        "he_tcp_t_port": spec.test_address.rpartition(":")[2],
        "he_appliance_ova": spec.appliance,
        "he_dns_addr": ",".join(machine.name_servers),
    }
    found |= {key: value for key, value in optional.items() if value}
    if machine.prefix is not None:
        found |= {"he_vm_ip_addr": engine.spec.address, "he_vm_ip_prefix": machine.prefix}
    return found


def as_text(found: Variables) -> str:
    """The file of the variables."""
    return json.dumps(found, indent=2, sort_keys=True) + "\n"
