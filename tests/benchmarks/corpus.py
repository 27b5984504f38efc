"""Posts for measurements: generated ones, Japanese with English among it and always the same, or those of a folder."""

from collections import Counter
from collections.abc import Iterator
from itertools import accumulate, count
from pathlib import Path
from random import Random

from app.documents.context import Context
from app.documents.document import parse
from app.documents.sources import Limits, gather, in_folder
from app.errors import DocumentError
from app.search.row import SearchRow

_KANJI = (
    "日一国会人年大十二本中長出三同時政事自行社見月分議後前民生連五発間対上部東者党地合市業内相方四定今回新場金員九入選立開手米力学問"
    "高代明実円関決子動京全目表戦経通外最言氏現理調体化田当八六約主題下首意法不来作性的要用制治度務強気小七成期公持野協取都和統以機平"
    "総加山思家話世受区領多県続進正安設保改数記院女初北午指権心界支第産結百派点教報済書府活原先共得解名交資予川向際査勝面委告軍文反元"
    "重近千考判認画海参売利組知案道信策集在件団別物側任引使求所次水半品昨論計死官増係感特情投示変打男基私各始島直両朝革価式確村提運終"
    "挙果西勢減台広容必応演電歳住争談能無再位置企真流格有疑口過局少放税検藤町常校料沢裁状工建語球営空職証土与急止送援供可役構木割聞身"
    "費付施切由説転食比難防補車優夫研収断井何南石足違消境神番規術護展態導鮮備宅害配副算視条幹独警宮究育席輸訪楽起万着乗店述残想線率病"
)
_KATAKANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモラリルレロワンガギグゲゴザジズゼゾダデドバビブベボパピプペポー"
_PARTICLES = ["は", "が", "を", "に", "で", "と", "の", "も", "や", "から", "まで", "より", "へ"]
_ENDINGS = [
    "する。",
    "した。",
    "している。",
    "できる。",
    "だった。",
    "になる。",
    "と考える。",
    "である。",
    "しない。",
    "を選ぶ。",
]
_CONSONANTS, _VOWELS = "bcdfghjklmnprstvwz", "aeiou"
_SIZE = 30_000


def _word(chance: Random) -> str:
    kind = chance.random()
    if kind < 0.6:
        return "".join(chance.choices(_KANJI, k=chance.choice((2, 2, 2, 3, 4))))
    if kind < 0.8:
        return "".join(chance.choices(_KATAKANA, k=chance.randint(3, 6)))
    return "".join(chance.choice(_CONSONANTS) + chance.choice(_VOWELS) for _ in range(chance.randint(2, 4)))


_CHANCE = Random(20)
VOCABULARY = sorted({_word(_CHANCE) for _ in range(_SIZE)})
_CHANCE.shuffle(VOCABULARY)  # the first are the most frequent
_CUMULATIVE = list(accumulate(1 / (rank + 8) for rank in range(len(VOCABULARY))))


def rows(corpus: str) -> Iterator[SearchRow]:
    """The posts of a corpus: so many generated ones, or those of a folder that can be understood."""
    if corpus.isdigit():
        yield from (row(pk, Counter()) for pk in range(1, int(corpus) + 1))
        return
    pks = count(1)
    limits = Limits(file_bytes=2**24, total_bytes=2**30, files=10**6)
    for source in gather(in_folder(Path(corpus)), limits=limits).sources:
        try:
            found = parse(source, Context())
        except DocumentError:
            continue
        yield SearchRow(pk=next(pks), title=found.title, tags=found.tags, excerpt=found.excerpt, text=found.text)


def row(pk: int, seen: Counter[str]) -> SearchRow:
    """The post of a number, 200 to 800 words long, their frequencies by Zipf's law; counts each once in `seen`."""
    chance = Random(pk)
    words = chance.choices(VOCABULARY, cum_weights=_CUMULATIVE, k=chance.randint(200, 800))
    seen.update(set(words))
    sentences: list[str] = []
    place = 6
    while place < len(words):
        length = chance.randint(2, 6)
        sentences.append(_sentence(words[place : place + length], chance))
        place += length
    return SearchRow(
        pk=pk,
        title=f"{words[0]}の{words[1]}{pk}",
        tags=tuple(words[2:6]),
        excerpt=sentences[0],
        text="\n".join("".join(sentences[start : start + 5]) for start in range(0, len(sentences), 5)),
    )


def _sentence(words: list[str], chance: Random) -> str:
    parts: list[str] = []
    for word in words:
        space = " " if parts and word.isascii() and chance.random() < 0.5 else ""
        parts += [space, word, space or chance.choice(_PARTICLES)]
    return "".join(parts).strip() + chance.choice(_ENDINGS)
