"""CJK radical forms and the ideographs they stand for.

PDF converters and OCR leave radical code points (⻄ U+2EC4) where the ideograph (西 U+897F) is meant. NFKC replaces all 214
Kangxi radicals but only 2 of the 115 characters of the CJK Radicals Supplement, so the supplement has a table of its own.
"""

from __future__ import annotations

import re
import unicodedata

# Source: property Equivalent_Unified_Ideograph of the Unicode Character Database; U+2E80 has none.
_SUPPLEMENT = (
    "⺁厂 ⺂乛 ⺃乚 ⺄乙 ⺅亻 ⺆冂 ⺇𠘨 ⺈刀 ⺉刂 ⺊卜 ⺋㔾 ⺌小 ⺍小 ⺎兀 ⺏尣 ⺐尢 ⺑𡯂 ⺒巳 ⺓幺 ⺔彑 ⺕彐 ⺖忄 ⺗心 ⺘扌 "
    "⺙攵 ⺛旡 ⺜日 ⺝月 ⺞歺 ⺟母 ⺠民 ⺡氵 ⺢氺 ⺣灬 ⺤爫 ⺥爫 ⺦丬 ⺧牛 ⺨犭 ⺩王 ⺪𤴔 ⺫目 ⺬示 ⺭礻 ⺮𥫗 ⺯糹 ⺰纟 ⺱罓 "
    "⺲罒 ⺳㓁 ⺴冗 ⺵𦉫 ⺶羊 ⺷𦍌 ⺸𦍋 ⺹耂 ⺺肀 ⺻聿 ⺼肉 ⺽𦥑 ⺾艹 ⺿艹 ⻀艹 ⻁虎 ⻂衤 ⻃覀 ⻄西 ⻅见 ⻆角 ⻇𧢲 ⻈讠 ⻉贝 "
    "⻊𧾷 ⻋车 ⻌辶 ⻍辶 ⻎辶 ⻏邑 ⻐钅 ⻑長 ⻒镸 ⻓长 ⻔门 ⻕𨸏 ⻖阝 ⻗雨 ⻘青 ⻙韦 ⻚页 ⻛风 ⻜飞 ⻝食 ⻞𩙿 ⻟飠 ⻠饣 ⻡𩠐 "
    "⻢马 ⻣骨 ⻤鬼 ⻥鱼 ⻦鸟 ⻧卤 ⻨麦 ⻩黄 ⻪黾 ⻫斉 ⻬齐 ⻭歯 ⻮齿 ⻯竜 ⻰龙 ⻱龜 ⻲亀 ⻳龟"
)

#: Radical form → ideograph, for U+2E81 to U+2EF3 and U+2F00 to U+2FD5.
RADICALS: dict[str, str] = {pair[0]: pair[1] for pair in _SUPPLEMENT.split()} | {
    chr(code): unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)
}
_TABLE = str.maketrans(RADICALS)
_ANY = re.compile("[\u2e80-\u2fd5]")


def ideographs(text: str) -> str:
    """Return the text with ideographs in place of radical forms; its length stays."""
    return text.translate(_TABLE) if _ANY.search(text) else text
