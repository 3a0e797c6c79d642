"""The words of generated training examples; many differ from the words that test."""

from __future__ import annotations

from sentiment.behaviour.templates import Lexicon

_OPINIONS: Lexicon = {
    "good": (
        "good", "great", "excellent", "wonderful", "enjoyable", "lovely", "amazing", "perfect", "beautiful", "fine",
        "outstanding", "satisfying", "funny", "exciting", "clever", "memorable", "pleasant", "convincing", "worth it",
    ),
    "bad": (
        "bad", "terrible", "awful", "boring", "disappointing", "poor", "horrible", "weak", "ugly", "useless",
        "pathetic",
        "frustrating", "stupid", "pointless", "clumsy", "forgettable", "unpleasant", "ridiculous", "cheap",
    ),
    "nice": (
        "good", "great", "excellent", "wonderful", "enjoyable", "lovely", "amazing", "beautiful", "fine", "satisfying",
        "funny", "exciting", "clever", "memorable", "pleasant", "convincing",
    ),
    "poor": (
        "bad", "terrible", "awful", "boring", "disappointing", "poor", "horrible", "weak", "ugly", "useless",
        "pathetic",
        "frustrating", "stupid", "pointless", "clumsy", "forgettable", "unpleasant",
    ),
    "loved": (
        "loved", "liked", "enjoyed", "appreciated", "admired", "was happy with", "was pleased with", "had fun with",
    ),
    "hated": (
        "hated", "disliked", "despised", "regretted", "was unhappy with", "was annoyed by", "was disappointed by",
        "was fed up with",
    ),
    "adored": ("loved", "liked", "enjoyed", "appreciated", "admired", "praised"),
    "despised": ("hated", "disliked", "despised", "regretted", "slated"),
    "love": ("love", "like", "enjoy", "appreciate", "admire"),
    "hate": ("hate", "dislike", "despise", "regret"),
    "happy": ("happy", "pleased", "satisfied", "amused", "excited", "moved", "impressed"),
    "unhappy": ("unhappy", "annoyed", "disappointed", "bored", "frustrated", "irritated", "let down"),
    "hit": (
        "a pleasure", "a success", "a masterpiece", "a bargain", "money well spent", "a hit", "a find", "great fun",
    ),
    "flop": ("a flop", "a mistake", "a waste of time", "rubbish", "a bore", "a rip-off", "a nightmare", "a mess"),
    "deny": (
        "I couldn't say", "I wouldn't say", "I can't claim", "I do not believe", "I don't feel", "I cannot pretend",
        "I would not go so far as to say", "It isn't true", "I have never thought", "I am not of the opinion",
        "I doubt", "I refuse to believe", "Nobody could persuade me", "You won't hear me say", "It is not the case",
    ),
    "affirm": (
        "I have to say", "I must say", "I would claim", "I do believe", "I really feel", "I admit", "I would even say",
        "It is true", "I have always thought", "I am of the opinion", "I don't mind saying", "I have no doubt",
        "Nobody could deny", "You will hear me say", "It is the case", "I don't deny",
    ),
    "interlude": (
        "given the price", "knowing the earlier ones", "having slept on it", "after the second time",
        "for all the money they spent", "as a fan of the kind", "with two small children around me",
        "now that the excitement has faded", "in all honesty", "coming to it without any expectations",
        "with the rave reviews still in my ears", "after three long hours", "having waited since spring",
        "as somebody who does this for a living", "despite all the fuss in the papers", "when all is said and done",
    ),
    "nobody": (
        "Nobody", "Not one of us", "No one I know", "Hardly anyone", "Not a single person", "No sane person",
    ),
    "everybody": (
        "Everybody", "Every one of us", "Everyone I know", "Almost anyone", "Every single person", "Any sane person",
    ),
    "no": (
        "No.", "No!", "No, never.", "Not in my view.", "I would not say that.", "Of course not.", "Not a bit.", "Nope.",
        "Sorry, no.", "No, not one bit.", "Certainly not.", "I am afraid not.", "Not in the least.", "Never.",
    ),
    "yes": (
        "Yes.", "Yes!", "Yes, always.", "In my view it is.", "I would say that.", "Of course.", "Very much so.", "Yep.",
        "Sure, yes.", "Yes, every bit.", "Certainly.", "I think so.", "Without a doubt.", "Always.",
    ),
    "who": (
        "who knows the first thing about it", "who was there that night", "in the whole family", "at our table",
        "who paid for it with his own money", "who stayed until the end", "that I talked to about it afterwards",
    ),
    "very": ("very", "really", "extremely", "totally", "remarkably", "deeply", "unbelievably"),
    "slightly": ("slightly", "rather", "fairly", "a little bit", "quite", "reasonably", "more or less"),
    "other": (
        "my brother", "my wife", "my husband", "my teacher", "our guide", "the man at the till", "my flatmate",
        "my aunt",
        "the newspaper", "a colleague", "my best friend", "everyone else", "the jury", "my son",
    ),
    "before": ("in the past", "years ago", "as a child", "until last month", "when it came out", "before the change"),
    "after": ("nowadays", "these days", "today", "by now", "this season", "meanwhile"),
    "so_what": (
        "For the record", "To cut a long story short", "Long story short", "In a word", "To be fair", "Honestly",
        "Well",
    ),
    "name": (
        "Tom", "Linda", "Ahmed", "Karen", "Pedro", "Aisha", "Paul", "Nina", "Ravi", "Lucy", "Wei", "Tyrone", "Elena",
    ),
    "place": (
        "Vienna", "New York", "Oslo", "Texas", "Sweden", "Cairo", "Brazil", "Sydney", "India", "Poland", "Ghana",
        "Seoul",
    ),
    "number": tuple(str(n) for n in (2, 3, 4, 6, 7, 12, 15, 18, 25, 40, 75, 90, 120, 300, 1985, 1999, 2007, 2016)),
    "link": ("http://example.com/a1", "www.example.com/item?x=9", "https://example.org/r/33", "<br />", "&nbsp;"),
    "person": (
        # gender
        "a woman", "a man", "a girl", "a mother", "a father", "a transgender woman", "a trans man",
        # religion
        "a Muslim", "a Christian", "a Jewish woman", "a Hindu", "an atheist", "a Catholic man", "a Buddhist monk",
        # ethnicity
        "a Black woman", "a white man", "an Asian woman", "a Latina", "an Arab man", "a Black man", "a Native American",
        # nationality
        "a Mexican", "a Chinese woman", "an Indian man", "a Frenchman", "a Russian", "an Egyptian", "an American woman",
        # sexual orientation
        "a gay man", "a lesbian", "a bisexual man", "a straight woman", "a queer woman", "a homosexual man",
        "a gay couple",
        # age
        "a young woman", "an old man", "an old woman", "a teenager", "a retired teacher", "a toddler",
        "a fifty-year-old",
        # nobody in particular
        "a person", "a stranger", "someone", "a customer",
    ),
}  # fmt: skip

_NOUNS: tuple[Lexicon, ...] = (
    {
        "thing": ("film", "movie", "comedy", "drama", "western"),
        "part": ("acting", "story", "soundtrack", "lead actor", "editing"),
    },
    {"thing": ("book", "memoir", "short story"), "part": ("plot", "writing", "first half", "cover")},
    {
        "thing": ("phone", "headset", "watch", "vacuum cleaner"),
        "part": ("battery life", "display", "speaker", "charger"),
    },
    {"thing": ("hotel", "apartment", "campsite"), "part": ("room", "breakfast", "shower", "location")},
    {"thing": ("meal", "pizza", "lunch", "curry"), "part": ("sauce", "starter", "wine", "portion size")},
    {"thing": ("play", "opera", "exhibition"), "part": ("staging", "choir", "second act", "seating")},
    {"thing": ("service", "course", "repair", "bank"), "part": ("staff", "teacher", "hotline", "waiting time")},
    {"thing": ("game", "toy", "puzzle"), "part": ("design", "artwork", "tutorial", "packaging")},
)  # fmt: skip

LEXICONS: tuple[Lexicon, ...] = tuple({**_OPINIONS, **nouns} for nouns in _NOUNS)
