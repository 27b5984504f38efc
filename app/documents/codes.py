"""Every code that a finding on a document can bear: what it means, what gives it, how to mend it."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """`example` is a whole file, `name` its name; parsed in a context without settings, it gives the code."""

    severity: Severity
    means: str
    example: str
    mend: str
    name: str = "2025-12-24-kiji.md"


def _error(means: str, example: str, mend: str, name: str = "2025-12-24-kiji.md") -> Code:
    return Code(severity="error", means=means, example=example, mend=mend, name=name)


def _warning(means: str, example: str, mend: str, name: str = "2025-12-24-kiji.md") -> Code:
    return Code(severity="warning", means=means, example=example, mend=mend, name=name)


CODES: dict[str, Code] = {
    # The file
    "encoding": _error(
        "The bytes are not UTF-8.",
        "\udc83e\udc83X\udc83g",  # テスト in Shift_JIS, each byte by Python's surrogateescape
        "Save the file as UTF-8, or convert it: iconv -f CP932 -t UTF-8 old.md > new.md",
    ),
    "empty_file": _error("The file holds nothing at all.", " \n", "Save the text, or delete the file."),
    "control_character": _warning(
        "The body holds characters that nothing shows, such as NUL; they are left out of the HTML. In a front matter"
        " the same is an error.",
        "---\ntitle: 題\n---\n一\x07二\n",
        "Remove the characters; the line is given.",
    ),
    "invalid_name": _error(
        "The file's name leads out of its folder, is too long or holds invisible characters.",
        "---\ntitle: 題\n---\n",
        "Rename the file.",
        "a\u202eb.md",
    ),
    # The front matter as such
    "front_matter_unclosed": _error(
        "The fence that opens the front matter has no closing one.",
        "---\ntitle: 題\n\n本文\n",
        "End the front matter with a line that holds nothing but `---`.",
    ),
    "front_matter_not_first": _warning(
        "Blanks stand before the front matter; it is read all the same, but Jekyll would not.",
        "\n---\ntitle: 題\n---\n",
        "Begin the file with `---`.",
    ),
    "front_matter_lost": _error(
        "A line looks like a fence and is none, and the lines below it say whether or when the post is published.",
        "----\ntitle: 題\ndraft: true\n----\n",
        "Write exactly `---`, alone on the line, before and after the front matter.",
    ),
    "front_matter_not_read": _warning(
        "A line looks like a fence and is none, so the file has no front matter.",
        "－－－\ntitle: 題\n－－－\n",
        "Write exactly `---`, alone on the line.",
    ),
    "front_matter_not_a_map": _error(
        "The front matter is a list or a single value.",
        "---\n- 題\n---\n",
        "Write `key: value` lines between the fences.",
    ),
    "front_matter_too_large": _error(
        "The front matter passes a limit: 64 KiB, 32 levels, 10 000 values with aliases expanded.",
        "---\ndeep: " + "[" * 40 + "]" * 40 + "\n---\n",
        "Keep what is large in the body, or in a file of its own.",
    ),
    "yaml_syntax": _error(
        "The front matter is not valid YAML.",
        "---\ntitle: 速報: 続報\n---\n",
        'Mostly: put the whole value in double quotes, as in title: "速報: 続報".',
    ),
    "yaml_documents": _error(
        "A line within the front matter begins another YAML document.",
        "---\ntitle: 題\n--- a\nb: c\n---\n",
        "Quote or remove the line that begins with `--- `.",
    ),
    "yaml_alias": _error(
        "An alias has no anchor before it, or stands inside what it repeats.",
        "---\ntitle: *asterisk\n---\n",
        "Quote the value if the asterisk is part of the text.",
    ),
    "yaml_tag": _error(
        "A YAML tag is not supported, or the value is not what the tag promises.",
        "---\ntitle: !important\n---\n",
        "Quote the value if the exclamation mark is part of the text.",
    ),
    "yaml_key": _error(
        "A map or a list stands where a key belongs.",
        "---\ntitle: {{ page.title }}\n---\n",
        "Quote the value: what begins with { or [ is a map or a list to YAML.",
    ),
    "yaml_merge": _error(
        "The merge key `<<` takes a map or a list of maps.",
        "---\n<<: 題\n---\n",
        "Give it an alias of a map, or remove it.",
    ),
    "yaml_comment": _warning(
        "YAML takes what follows a blank and a # for a comment; it is left out.",
        "---\ntitle: C# の話 #1\n---\n",
        'Put the value in double quotes: title: "C# の話 #1".',
    ),
    "toml_syntax": _error(
        "The front matter between `+++` is not valid TOML.",
        "+++\ntitle = 題\n+++\n",
        'Put strings in quotes: title = "題".',
    ),
    "json_syntax": _error(
        "The front matter is not valid JSON.",
        ';;;\n"title": 題\n;;;\n',
        "Put strings in double quotes, and no comma behind the last.",
    ),
    "duplicate_key": _warning(
        "A key comes twice; the last one counts.",
        "---\ntitle: 一\ntitle: 二\n---\n",
        "Remove one of them.",
    ),
    "key_not_string": _warning(
        "A key is a number, a boolean, null or a date; it is kept as a string.",
        "---\ntitle: 題\n2025: 年\n---\n",
        'Quote the key: "2025": 年.',
    ),
    "key_case": _warning(
        "A key is known in another case, and is read as that.",
        "---\nTitle: 題\n---\n",
        "Write it as the warning has it.",
    ),
    "number_not_json": _warning(
        "JSON has no exact number for the value: integers beyond 2^53 become strings, NaN and infinity null.",
        "---\ntitle: 題\nisbn: 97847741888161234567\n---\n",
        'Quote it if it is no number: isbn: "97847741888161234567".',
    ),
    # Fields
    "invalid_field": _error(
        "A list or a map stands where one value belongs.",
        "---\ntitle: [速報]\n---\n",
        'Put the whole value in double quotes: title: "[速報]".',
    ),
    "invalid_date": _error(
        "A date is empty, ambiguous or no day of the calendar, in the front matter or in the file's name.",
        "---\ntitle: 題\ndate: 2025-02-31\n---\n",
        "Write it as 2025-12-23 or 2025-12-23 08:46:58 +09:00.",
    ),
    "invalid_slug": _error(
        "A slug is too long, holds no letter or digit, or holds invisible characters.",
        "---\ntitle: 題\nslug: …\n---\n",
        "Write one with a letter or a digit, of at most 255 bytes.",
    ),
    "field_ignored": _warning(
        "A field holds something that it cannot be, and is read as if it were not there.",
        "---\ntitle: 題\nreading_time: すぐ\n---\n",
        "Write what the hint asks for.",
    ),
    "flag_not_boolean": _warning(
        "`draft` or `published` is neither true nor false; the warning says how it is read.",
        '---\ntitle: 題\npublished: "false"\n---\n',
        "Write true or false, without quotes.",
    ),
    "title_derived": _warning(
        "There is no title: the first heading of a file without front matter is used, else the file's name.",
        "---\nlayout: post\n---\n本文\n",
        "Write a title into the front matter.",
    ),
    # The body
    "liquid_left": _warning(
        "A Liquid tag or output is left as text; templates are never executed.",
        "---\ntitle: 題\n---\n{% include figure.html %}\n",
        "Write what it stands for, or protect it with {% raw %} if it is meant to be read.",
    ),
    "shortcode_left": _warning(
        "A Hugo shortcode is left as text.",
        '---\ntitle: 題\n---\n{{< figure src="zu.png" >}}\n',
        "Write the Markdown or HTML that it stands for.",
    ),
    "render_budget": _error(
        "The HTML would be out of proportion to the source: references repeated, elements nested or left open;"
        " or rendering it takes too long or too much memory.",
        "---\ntitle: 題\n---\n" + "<div>" * 20_000,
        "Split the post, close what is open, or repeat less of what is written once.",
    ),
}
"""What `parse` finds in one source."""

FILE_CODES: dict[str, str] = {
    "link_missing": "A post links to a file, or shows an image, that is not there. Mend the link, or add the file.",
    "duplicate_name": "One name comes twice in an upload, Unicode forms apart. Leave one of the files out.",
    "file_too_large": "The file is larger than HONBUN_MAX_FILE_BYTES. Split it.",
    "render_failed": "The renderer met a fault of its own in this file; the log says which. Report it.",
    "too_many_files": "The upload holds more files than HONBUN_MAX_FILES. Send it in parts.",
    "upload_too_large": "The posts of an upload are larger together than HONBUN_MAX_UPLOAD_BYTES. Send it in parts.",
    "not_a_file": "An archive holds a link or a device where a post is expected, or a file is gone or not to be read."
    " Put the file itself in its place.",
    "malformed_archive": "The archive is no zip or tar that can be read, or is encrypted or damaged. Make it again.",
    "config_not_a_map": "`_config.yml` is not a map of keys to values. Write `key: value` lines.",
    "invalid_timezone": "`timezone` in `_config.yml` is no name of the IANA database. Write one such as Asia/Tokyo.",
}
"""What is found before a source is parsed: of uploads, archives and `_config.yml`; what it means and how to mend it."""
