"""Two programs that were written apart come to the same columns (CTDS section 6)."""

from datetime import date, timedelta
from random import Random

from tests.validators import samples
from tests.validators.linkage.second import columns_of
from validators.linkage import Identity, NotRomanised, linkage_fields

KEY = bytes(range(32))
PIECES = (
    *("Nguyễn", "Văn", "Đức", "Łukasz", "Øystein", "Groß", "GROẞ", "Æthel", "José", "Jose\u0301"),
    *(
        "O'Neil",
        "O\u2019Neil",
        "O\u02bcneil",
        "O`Neil",
        "Smith-Jones",
        "ﬁona",
        "ﬂora",
        "ĳsbrand",
        "Şükrü",
    ),
    *(
        "İbrahim",
        "I\u015f\u0131k",
        "Ćosić",
        "Žižek",
        "ŉdim",
        "Ñuñez",
        "Ștefan",
        "d\u2019Arc",
        "\u02bbOkina",
        "No\u02bfman",
    ),
    *(
        "al-Ḥasan",
        "A\u034fB",
        "x\ufe00y",
        "soft\u00adhyphen",
        "tab\tx",
        "Ⅷ",
        "\uff12nd",
        "½",
        "\u017fmith",
    ),
    *(
        "\u0140l",
        "ǆ",
        "Å",
        "\u00aa",
        "№",
        "Pfister",
        "Ashcraft",
        "Tymczak",
        "Whhw",
        "Jackson",
        "van der Berg",
    ),
    *("Þór", "Guðrún", "Cœur", "Əliyev", "Иван", "محمد", "李", "", " ", "-", "'", "2nd"),
    *("Unknown", "not known", "Not recorded", "N/A", "000", "AB 12/3"),
)
MADE_OF = ((0x20, 0x7E), (0xA0, 0x24F), (0x2B0, 0x36F), (0x1E00, 0x1EFF))


def name(source: Random) -> str:
    if source.random() < 0.8:
        joint = source.choice([" ", "-", "", "'", ", "])
        return joint.join(source.choices(PIECES, k=source.randint(1, 3)))
    spans = source.choices(MADE_OF, weights=(6, 2, 1, 1), k=source.randint(1, 9))
    return "".join(chr(source.randint(*span)) for span in spans)


def test_ten_thousand_children() -> None:
    source = samples.rng(6)
    seen = 0
    while seen < 10_000:
        names, references = (name(source), name(source)), (name(source), name(source))
        born = date(2006, 1, 1) + timedelta(days=source.randrange(7000))
        sex = source.choice("FMIU")
        given = Identity(*names, born, sex, references[0], "", references[1])
        try:
            made = linkage_fields(given, key=KEY)
        except NotRomanised:
            continue
        seen += 1
        assert made == columns_of(names, born.isoformat(), sex, references, KEY), given
