//! Splits a query into tokens (MySQL's rules for quotes, escapes, comments and numbers).

use crate::QueryError;

/// The text that the reference puts before a filter; positions in errors include it.
const SELECT: &str = "select * from table1 ";
const WHERE: &str = "where ";

/// Words that are never a bare name; quoted with backquotes they may be.
pub(crate) const KEYWORDS: [&str; 34] = [
    "and",
    "asc",
    "between",
    "binary",
    "by",
    "case",
    "desc",
    "distinct",
    "div",
    "drop",
    "else",
    "end",
    "escape",
    "exists",
    "false",
    "from",
    "group",
    "having",
    "in",
    "is",
    "like",
    "limit",
    "not",
    "null",
    "or",
    "order",
    "regexp",
    "rlike",
    "select",
    "starts_with",
    "true",
    "when",
    "where",
    "xor",
];

/// One token; its place is kept beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A keyword in lower case.
    Keyword(&'static str),
    /// A bare or backquoted name.
    Name(String),
    /// A string without its quotes and escapes.
    String(String),
    /// An integer as written.
    Int(String),
    /// A number with a fraction or an exponent, as written.
    Float(String),
    /// A number that letters follow, such as `1h30m`. Elsewhere than after `now()` it is an error.
    Duration {
        /// The number, which is all that an error about it shows.
        number: String,
        /// The rest.
        units: String,
    },
    /// A hexadecimal number, as written.
    Hex(String),
    /// `?`, `:name`: a placeholder, which a filter can't have.
    Placeholder(String),
    /// Punctuation.
    Symbol(&'static str),
    /// A character that starts no token, or the content of a string that doesn't end.
    Wrong(String),
    /// The end of the text.
    End,
}

impl Token {
    /// How an error about this token shows it.
    pub(crate) fn near(&self) -> String {
        match self {
            Self::Keyword(word) => (*word).to_owned(),
            Self::Name(text)
            | Self::String(text)
            | Self::Int(text)
            | Self::Float(text)
            | Self::Hex(text)
            | Self::Placeholder(text)
            | Self::Duration { number: text, .. }
            | Self::Wrong(text) => text.clone(),
            Self::Symbol(_) | Self::End => String::new(),
        }
    }
}

/// The tokens of a query with the byte at which each ends.
#[derive(Debug)]
pub(crate) struct Tokens {
    tokens: Vec<(Token, usize)>,
    next: usize,
    offset: usize,
}

impl Tokens {
    pub(crate) fn new(text: &str) -> Self {
        let mut lexer = Lexer { text, at: 0, placeholders: 0 };
        let mut tokens = Vec::new();
        loop {
            let token = lexer.token();
            let last = matches!(token, Token::End | Token::Wrong(_));
            // As in the reference, which reads the number and stops.
            let end = match &token {
                Token::Duration { units, .. } => lexer.at - units.len(),
                _ => lexer.at,
            };
            tokens.push((token, end));
            if last {
                break;
            }
        }
        let mut tokens = Self { tokens, next: 0, offset: SELECT.len() };
        if !tokens.starts_with_clause() {
            tokens.offset += WHERE.len();
        }
        tokens
    }

    /// True for a query without a filter, which starts with `group by` or `order by`.
    pub(crate) fn starts_with_clause(&self) -> bool {
        let words =
            [self.tokens.first(), self.tokens.get(1)].map(|found| found.map(|(token, _)| token));
        matches!(words, [Some(Token::Keyword("order" | "group")), Some(Token::Keyword("by"))])
    }

    pub(crate) fn peek(&self) -> &Token {
        self.peek_at(0)
    }

    /// The token so many places ahead.
    pub(crate) fn peek_at(&self, ahead: usize) -> &Token {
        self.tokens.get(self.next + ahead).map_or(&Token::End, |(token, _)| token)
    }

    /// Takes the next token; the last one stays.
    pub(crate) fn take(&mut self) -> Token {
        let token = self.peek().clone();
        if self.next + 1 < self.tokens.len() {
            self.next += 1;
        }
        token
    }

    /// Takes the next token if it is this one.
    pub(crate) fn accept(&mut self, wanted: &Token) -> bool {
        let found = self.peek() == wanted;
        if found {
            self.take();
        }
        found
    }

    pub(crate) fn accept_keyword(&mut self, word: &'static str) -> bool {
        self.accept(&Token::Keyword(word))
    }

    pub(crate) fn accept_symbol(&mut self, symbol: &'static str) -> bool {
        self.accept(&Token::Symbol(symbol))
    }

    pub(crate) fn expect_keyword(&mut self, word: &'static str) -> Result<(), QueryError> {
        if self.accept_keyword(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(crate) fn expect_symbol(&mut self, symbol: &'static str) -> Result<(), QueryError> {
        if self.accept_symbol(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The error that the next token is.
    pub(crate) fn unexpected(&self) -> QueryError {
        let end = self.tokens.get(self.next).map_or(0, |(_, end)| *end);
        QueryError::Malformed { position: self.offset + end + 1, near: self.peek().near() }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    placeholders: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let taken: String = self.rest().chars().take_while(|letter| belongs(*letter)).collect();
        self.at += taken.len();
        taken
    }

    /// Blanks and comments. A block comment without end is left for `token` to refuse.
    fn skip_blanks(&mut self) {
        loop {
            self.take_while(char::is_whitespace);
            if self.rest().starts_with("--") || self.rest().starts_with('#') {
                self.take_while(|letter| letter != '\n');
            } else if self.rest().starts_with("/*") {
                match self.rest().find("*/") {
                    Some(end) if end >= 2 => self.at += end + 2,
                    _ => return,
                }
            } else {
                return;
            }
        }
    }

    fn token(&mut self) -> Token {
        self.skip_blanks();
        let Some(letter) = self.peek() else { return Token::End };
        match letter {
            '\'' | '"' => self.string(letter),
            '`' => self.quoted_name(),
            '0'..='9' => self.number(),
            '.' if self.rest().chars().nth(1).is_some_and(|next| next.is_ascii_digit()) => {
                self.number()
            }
            '?' => {
                self.bump();
                self.placeholders += 1;
                Token::Placeholder(format!(":v{}", self.placeholders))
            }
            ':' => {
                self.bump();
                let name = self.take_while(is_name_part);
                if name.is_empty() {
                    Token::Wrong(":".to_owned())
                } else {
                    Token::Placeholder(format!(":{name}"))
                }
            }
            _ if is_name_start(letter) => self.word(),
            _ => self.symbol(),
        }
    }

    fn word(&mut self) -> Token {
        let word = self.take_while(is_name_part);
        match KEYWORDS.into_iter().find(|keyword| keyword.eq_ignore_ascii_case(&word)) {
            Some(keyword) => Token::Keyword(keyword),
            None => Token::Name(word),
        }
    }

    fn quoted_name(&mut self) -> Token {
        self.bump();
        let mut name = String::new();
        loop {
            match self.bump() {
                Some('`') if self.peek() == Some('`') => {
                    self.bump();
                    name.push('`');
                }
                Some('`') if !name.is_empty() => return Token::Name(name),
                Some('`') | None => return Token::Wrong(name),
                Some(letter) => name.push(letter),
            }
        }
    }

    fn string(&mut self, quote: char) -> Token {
        self.bump();
        let mut content = String::new();
        loop {
            match self.bump() {
                Some('\\') => match self.bump() {
                    Some(escaped) => content.push(unescape(escaped)),
                    None => return Token::Wrong(content),
                },
                Some(letter) if letter == quote => {
                    if self.peek() != Some(quote) {
                        return Token::String(content);
                    }
                    self.bump();
                    content.push(quote);
                }
                Some(letter) => content.push(letter),
                None => return Token::Wrong(content),
            }
        }
    }

    fn number(&mut self) -> Token {
        if self.rest().starts_with("0x") || self.rest().starts_with("0X") {
            let mut text = self.take_while(|letter| matches!(letter, '0' | 'x' | 'X'));
            text.push_str(&self.take_while(|letter| letter.is_ascii_hexdigit()));
            return Token::Hex(text);
        }
        let mut text = self.take_while(|letter| letter.is_ascii_digit());
        let mut float = false;
        if self.peek() == Some('.') {
            self.bump();
            float = true;
            text.push('.');
            text.push_str(&self.take_while(|letter| letter.is_ascii_digit()));
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.bump();
            float = true;
            text.push('e');
            if let Some(sign @ ('+' | '-')) = self.peek() {
                self.bump();
                text.push(sign);
            }
            text.push_str(&self.take_while(|letter| letter.is_ascii_digit()));
        }
        if self.peek().is_some_and(is_duration_start) {
            return Token::Duration { number: text, units: self.take_while(is_duration_part) };
        }
        if float { Token::Float(text) } else { Token::Int(text) }
    }

    fn symbol(&mut self) -> Token {
        /// Longest first.
        const SYMBOLS: [&str; 27] = [
            "<=>", "<=", ">=", "<>", "!=", "&&", "||", "<<", ">>", "(", ")", ",", "=", "<", ">",
            "+", "-", "*", "/", "%", "!", "~", "&", "|", "^", ";", ".",
        ];
        let found = SYMBOLS.into_iter().find(|symbol| self.rest().starts_with(symbol));
        match found {
            Some("/") if self.rest().starts_with("/*") => {
                self.at = self.text.len();
                Token::Wrong(String::new())
            }
            Some(symbol) => {
                self.at += symbol.len();
                // MySQL's other spellings.
                Token::Symbol(if symbol == "<>" { "!=" } else { symbol })
            }
            None => Token::Wrong(self.bump().map(String::from).unwrap_or_default()),
        }
    }
}

const fn is_name_start(letter: char) -> bool {
    letter.is_ascii_alphabetic() || matches!(letter, '_' | '@')
}

const fn is_name_part(letter: char) -> bool {
    is_name_start(letter) || letter.is_ascii_digit()
}

const fn is_duration_start(letter: char) -> bool {
    is_name_start(letter) || matches!(letter, 'µ' | 'μ')
}

const fn is_duration_part(letter: char) -> bool {
    is_duration_start(letter) || letter.is_ascii_digit() || letter == '.'
}

/// True for a name that needs no backquotes.
pub(crate) fn is_bare_name(name: &str) -> bool {
    name.starts_with(is_name_start)
        && name.chars().all(is_name_part)
        && !KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(name))
}

const fn unescape(letter: char) -> char {
    match letter {
        '0' => '\0',
        'b' => '\u{8}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'Z' => '\u{1a}',
        other => other,
    }
}
