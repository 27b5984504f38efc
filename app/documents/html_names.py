"""Names of HTML elements, grouped by how a browser reads them."""


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())


HEADINGS = names("h1 h2 h3 h4 h5 h6")
BLOCKS = HEADINGS | names(
    "blockquote br caption dd details div dl dt figcaption figure hr li ol p pre section summary table tbody td tfoot "
    "th thead tr ul"
)
VOID = names("area base br col embed hr img input link meta source track wbr")
CLOSED_BY_THE_NEXT = names("dd dt li optgroup option p rp rt tbody td tfoot th thead tr")

# What is in these is no markup until their end tag.
RAW_TEXT = names("iframe noembed noframes script style textarea title xmp")
# In these, tags mean something else than outside.
OTHER_RULES = names("math plaintext select svg")
# Left open, all of these swallow what comes after them.
SWALLOWING = RAW_TEXT | OTHER_RULES | names("noscript template")
