"""Names, streets and towns of the made-up world. Numbers and mailboxes belong to nobody.

Mail domains end in `.example` (RFC 2606); the telephone numbers lie in ranges that no operator was given, that are kept
for drama, or, so that some customers can be sent a text, that only machines have (Dutch 097).
"""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Land:
    """What a name or an address looks like in one country."""

    code: str
    language: str
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    trades: tuple[str, ...]
    forms: tuple[str, ...]
    streets: tuple[str, ...]
    towns: tuple[tuple[str, str], ...]
    """Town and the start of its postal codes."""
    public_bodies: tuple[str, ...]

    def person(self, random: Random) -> str:
        """A first and a last name."""
        return f"{random.choice(self.first_names)} {random.choice(self.last_names)}"

    def company(self, random: Random) -> str:
        """The name of a business, with its legal form."""
        owner, trade, form = random.choice(self.last_names), random.choice(self.trades), random.choice(self.forms)
        return f"{owner} {trade} {form}".strip()

    def public_body(self, random: Random) -> str:
        """A town hall, a school or the like."""
        return f"{random.choice(self.public_bodies)} {random.choice(self.towns)[0]}"

    def address(self, random: Random) -> tuple[str, str, str]:
        """Street with number, postal code, town."""
        town, start = random.choice(self.towns)
        number = random.randint(1, 240)
        street = random.choice(self.streets)
        if self.code == "GB":
            return f"{number} {street}", f"{start} {random.randint(1, 9)}{_letters(random)}", town
        if self.code == "NL":
            return f"{street} {number}", f"{start}{random.randint(10, 99)} {_letters(random)}", town
        return f"{street} {number}", start, town

    def phone(self, random: Random) -> str:
        """A number that rings nowhere."""
        if self.code == "GB":
            return f"+447700900{random.randint(0, 999):03d}"
        if self.code == "NL":
            return f"+31970{random.randint(0, 99_999_999):08d}"
        return f"+32440{random.randint(0, 999999):06d}"


def _letters(random: Random) -> str:
    return "".join(random.choice("ABDEFGHJLNPQRSTUWXYZ") for _ in range(2))


LANDS: dict[str, Land] = {
    "NL": Land(
        code="NL",
        language="nl",
        first_names=(
            "Anna",
            "Bram",
            "Cees",
            "Daan",
            "Emma",
            "Femke",
            "Gijs",
            "Hanneke",
            "Ilse",
            "Jeroen",
            "Kim",
            "Lotte",
            "Maarten",
            "Noor",
            "Olaf",
            "Pieter",
            "Roos",
            "Sander",
            "Tess",
            "Wouter",
            "Yara",
            "Mohamed",
            "Fatima",
        ),
        last_names=(
            "Jansen",
            "de Vries",
            "Bakker",
            "Visser",
            "Smit",
            "Meijer",
            "de Boer",
            "Mulder",
            "de Groot",
            "Bos",
            "Vos",
            "Peters",
            "Hendriks",
            "Dekker",
            "Brouwer",
            "de Wit",
            "Dijkstra",
            "Smits",
            "de Graaf",
            "Kok",
            "Jacobs",
            "Vermeulen",
            "van Leeuwen",
            "Prins",
            "Blom",
            "Huisman",
            "Kuipers",
            "Post",
            "Yilmaz",
        ),
        trades=(
            "Installatie",
            "Bouw",
            "Schilderwerken",
            "Transport",
            "Horeca",
            "Interieur",
            "Tuinen",
            "Metaal",
            "Techniek",
            "Makelaardij",
            "Kinderopvang",
            "Fietsen",
            "Bakkerij",
            "Drukwerk",
            "Advies",
            "Zorg",
        ),
        forms=("B.V.", "V.O.F.", "", "Holding B.V."),
        streets=(
            "Dorpsstraat",
            "Kerkstraat",
            "Molenweg",
            "Stationsweg",
            "Industrieweg",
            "Havenkade",
            "Julianalaan",
            "Nieuwstraat",
            "Schoolstraat",
            "Parallelweg",
            "Beukenlaan",
            "Marktplein",
        ),
        towns=(
            ("Utrecht", "35"),
            ("Amersfoort", "38"),
            ("Deventer", "74"),
            ("Breda", "48"),
            ("Zwolle", "80"),
            ("Leiden", "23"),
            ("Alkmaar", "18"),
            ("Venlo", "59"),
            ("Assen", "94"),
            ("Gouda", "28"),
        ),
        public_bodies=("Gemeente", "Openbare Basisschool", "Bibliotheek", "Zwembad"),
    ),
    "BE": Land(
        code="BE",
        language="nl",
        first_names=(
            "Arne",
            "Bart",
            "Charlotte",
            "Dries",
            "Elke",
            "Fien",
            "Griet",
            "Hannes",
            "Inge",
            "Jef",
            "Katrien",
            "Lander",
            "Marijke",
            "Nele",
            "Pieter-Jan",
            "Ruben",
            "Sofie",
            "Tine",
            "Wannes",
            "Zoë",
        ),
        last_names=(
            "Peeters",
            "Janssens",
            "Maes",
            "Jacobs",
            "Mertens",
            "Willems",
            "Claes",
            "Goossens",
            "Wouters",
            "De Smet",
            "Dubois",
            "Lambert",
            "Dupont",
            "Martens",
            "De Clercq",
            "Van Damme",
            "Hermans",
            "Vandenberghe",
            "Michiels",
            "Aerts",
            "Desmet",
            "Lemmens",
        ),
        trades=(
            "Installaties",
            "Bouwwerken",
            "Schrijnwerk",
            "Transport",
            "Feestzalen",
            "Interieur",
            "Tuinaanleg",
            "Staalbouw",
            "Techniek",
            "Immo",
            "Fietsen",
            "Bakkerij",
            "Drukkerij",
            "Consult",
            "Zorg",
        ),
        forms=("BV", "NV", "CommV", ""),
        streets=(
            "Kerkstraat",
            "Stationsstraat",
            "Molenstraat",
            "Veldstraat",
            "Nieuwstraat",
            "Steenweg",
            "Dorpsplein",
            "Schoolstraat",
            "Kapellestraat",
            "Industrielaan",
            "Groenstraat",
            "Bergstraat",
        ),
        towns=(
            ("Antwerpen", "2000"),
            ("Gent", "9000"),
            ("Leuven", "3000"),
            ("Mechelen", "2800"),
            ("Brugge", "8000"),
            ("Hasselt", "3500"),
            ("Kortrijk", "8500"),
            ("Aalst", "9300"),
            ("Turnhout", "2300"),
        ),
        public_bodies=("Stad", "OCMW", "Basisschool", "Bibliotheek"),
    ),
    "GB": Land(
        code="GB",
        language="en",
        first_names=(
            "Alice",
            "Ben",
            "Chloe",
            "David",
            "Emily",
            "Fraser",
            "Grace",
            "Harry",
            "Isla",
            "Jack",
            "Karen",
            "Liam",
            "Megan",
            "Nathan",
            "Olivia",
            "Priya",
            "Rhys",
            "Sophie",
            "Tom",
            "Zara",
        ),
        last_names=(
            "Smith",
            "Jones",
            "Taylor",
            "Brown",
            "Williams",
            "Wilson",
            "Johnson",
            "Davies",
            "Patel",
            "Wright",
            "Walker",
            "White",
            "Edwards",
            "Hughes",
            "Green",
            "Hall",
            "Lewis",
            "Clarke",
            "Jackson",
            "Turner",
            "Cooper",
            "Begum",
            "Morgan",
            "Macdonald",
        ),
        trades=(
            "Plumbing",
            "Builders",
            "Decorators",
            "Haulage",
            "Catering",
            "Interiors",
            "Landscapes",
            "Engineering",
            "Electrical",
            "Lettings",
            "Cycles",
            "Bakery",
            "Print",
            "Consulting",
            "Care",
        ),
        forms=("Ltd", "LLP", "& Sons", "Group Ltd"),
        streets=(
            "High Street",
            "Station Road",
            "Church Lane",
            "Mill Road",
            "Victoria Road",
            "Green Lane",
            "Park Avenue",
            "Queens Road",
            "Springfield Road",
            "The Crescent",
            "Albert Street",
            "Manor Road",
        ),
        towns=(
            ("Bristol", "BS1"),
            ("Leeds", "LS2"),
            ("York", "YO1"),
            ("Norwich", "NR2"),
            ("Exeter", "EX4"),
            ("Derby", "DE1"),
            ("Swansea", "SA1"),
            ("Dundee", "DD1"),
            ("Reading", "RG1"),
        ),
        public_bodies=("Council of", "Primary School", "Library of", "Leisure Centre"),
    ),
}
