"""Certificates that `openssl` makes: authorities, servers, clients, lists of revoked ones."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


def openssl(*words: str, given: str = "") -> str:
    """One command of `openssl`, which must succeed."""
    done = subprocess.run(
        ["openssl", *words], input=given, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"openssl {' '.join(words)}\n{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Pair:
    """The files of a certificate and its key."""

    certificate: Path
    key: Path


EXPIRED = ("-startdate", "20200101000000Z", "-enddate", "20210101000000Z")
"""The dates of a certificate that is over."""

NOT_YET = ("-startdate", "20400101000000Z", "-enddate", "20410101000000Z")
"""The dates of one that has not begun."""


class Authority:
    """A certificate authority in a folder of its own."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        self.own = Pair(self.folder / "ca.pem", self.folder / "ca.key")
        _key(self.own.key, "ec")
        openssl(
            *("req", "-x509", "-new", "-key", str(self.own.key), "-out", str(self.own.certificate)),
            *("-days", "30", "-subj", f"/O=Tests/CN={name}"),
            *("-addext", "basicConstraints=critical,CA:TRUE"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )
        (self.folder / "index.txt").touch()
        (self.folder / "crlnumber").write_text("01\n")
        self.settings = self.folder / "ca.cnf"
        self.settings.write_text(
            "[ca]\ndefault_ca=own\n[own]\n"
            f"database={self.folder}/index.txt\ndefault_md=sha256\ndefault_crl_days=30\n"
            f"certificate={self.own.certificate}\nprivate_key={self.own.key}\n"
            f"crlnumber={self.folder}/crlnumber\nnew_certs_dir={self.folder}\nrand_serial=yes\nunique_subject=no\npolicy=any\n"
            "[any]\ncommonName=optional\norganizationName=optional\n"
            "organizationalUnitName=optional\n"
        )

    @property
    def root(self) -> bytes:
        """Its certificate, as clients take it."""
        return self.own.certificate.read_bytes()

    def server(
        self, name: str = "server", names: str = "DNS:localhost,IP:127.0.0.1", **how
    ) -> Pair:
        """A server's certificate for these names."""
        how.setdefault("usage", "serverAuth")
        return self.issue(name, f"/CN={name}", names=names, **how)

    def client(self, name: str = "client", subject: str = "", **how) -> Pair:
        """A client's certificate."""
        how.setdefault("usage", "clientAuth")
        return self.issue(name, subject or f"/O=Tests/CN={name}", **how)

    def issue(
        self,
        name: str,
        subject: str,
        usage: str,
        names: str = "",
        kind: str = "ec",
        dates: tuple[str, ...] = ("-days", "30"),
        more: str = "",
    ) -> Pair:
        """A certificate signed by this authority, with these extensions and `more` of them; a name
        that was there is replaced."""
        pair = self.pair(name)
        _key(pair.key, kind)
        extensions = f"basicConstraints=CA:FALSE\nextendedKeyUsage={usage}\n{more}"
        if names:
            extensions += f"subjectAltName={names}\n"
        request, wanted = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        wanted.write_text(extensions)
        openssl("req", "-new", "-key", str(pair.key), "-out", str(request), "-subj", subject)
        openssl(
            *("ca", "-batch", "-notext", "-config", str(self.settings), "-in", str(request)),
            *("-out", str(pair.certificate), "-extfile", str(wanted), *dates),
        )
        return pair

    def pair(self, name: str) -> Pair:
        """The files of a certificate of this name."""
        return Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")

    def revoked(self, *pairs: Pair) -> Path:
        """The list of revoked certificates, with these on it."""
        for pair in pairs:
            openssl("ca", "-config", str(self.settings), "-revoke", str(pair.certificate))
        crl = self.folder / "revoked.pem"
        openssl("ca", "-config", str(self.settings), "-gencrl", "-out", str(crl))
        return crl


def self_signed(folder: Path, name: str) -> Pair:
    """A certificate that nobody vouches for."""
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    _key(pair.key, "ec")
    openssl(
        *("req", "-x509", "-new", "-key", str(pair.key), "-out", str(pair.certificate)),
        *("-days", "30", "-subj", f"/CN={name}", "-addext", "basicConstraints=CA:FALSE"),
    )
    return pair


def _key(path: Path, kind: str) -> None:
    made = {
        "ec": ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
        "rsa-1024": ("genrsa", "1024"),
        "rsa-2048": ("genrsa", "-traditional", "2048"),
        "ed25519": ("genpkey", "-algorithm", "ed25519"),
        "sec1": ("ecparam", "-name", "prime256v1", "-genkey", "-noout"),
        "p-521": ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"),
    }[kind]
    path.write_text(openssl(*made))
