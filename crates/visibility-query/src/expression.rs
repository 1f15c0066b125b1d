//! The syntax tree of a query before names and types are known.

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    /// An expression in parentheses.
    Parentheses(Box<Expression>),
    Comparison {
        left: Box<Expression>,
        operator: Operator,
        right: Box<Expression>,
    },
    Between {
        left: Box<Expression>,
        low: Box<Expression>,
        high: Box<Expression>,
        negated: bool,
    },
    /// `IS <what>`, where `what` is in lower case.
    Is {
        left: Box<Expression>,
        what: &'static str,
        negated: bool,
    },
    /// A name, parts joined by dots.
    Name(String),
    String(String),
    Int(String),
    Float(String),
    /// A literal that no attribute takes: a hexadecimal number, a placeholder.
    OtherLiteral(String),
    Bool(bool),
    /// The time of the query, and durations with their sign: true takes away.
    Now(Vec<(bool, String)>),
    Null,
    /// The list of `IN`.
    List(Vec<Expression>),
    /// What a filter has no use for but SQL has; the text is the reference's name for it.
    Foreign(&'static str),
}

/// Operators with a left and a right side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    NullSafeEqual,
    In,
    NotIn,
    Like,
    NotLike,
    Regexp,
    NotRegexp,
    StartsWith,
    NotStartsWith,
    Contains,
    NotContains,
}

impl Operator {
    /// The name in error texts.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::NullSafeEqual => "<=>",
            Self::In => "IN",
            Self::NotIn => "NOT IN",
            Self::Like => "LIKE",
            Self::NotLike => "NOT LIKE",
            Self::Regexp => "REGEXP",
            Self::NotRegexp => "NOT REGEXP",
            Self::StartsWith => "STARTS_WITH",
            Self::NotStartsWith => "NOT STARTS_WITH",
            Self::Contains => "CONTAINS",
            Self::NotContains => "NOT CONTAINS",
        }
    }
}

/// Expressions that the reference names in its error texts.
pub(crate) const FUNCTION: &str = "*sqlparser.FuncExpr";
pub(crate) const BINARY: &str = "*sqlparser.BinaryExpr";
pub(crate) const UNARY: &str = "*sqlparser.UnaryExpr";
pub(crate) const SUBQUERY: &str = "*sqlparser.Subquery";
pub(crate) const EXISTS: &str = "*sqlparser.ExistsExpr";
pub(crate) const CASE: &str = "*sqlparser.CaseExpr";

impl Expression {
    /// What the reference calls this kind of expression.
    pub(crate) const fn reference_type(&self) -> &'static str {
        match self {
            Self::And(_) => "*sqlparser.AndExpr",
            Self::Or(_) => "*sqlparser.OrExpr",
            Self::Not(_) => "*sqlparser.NotExpr",
            Self::Parentheses(_) => "*sqlparser.ParenExpr",
            Self::Comparison { .. } => "*sqlparser.ComparisonExpr",
            Self::Between { .. } => "*sqlparser.RangeCond",
            Self::Is { .. } => "*sqlparser.IsExpr",
            Self::Name(_) => "*sqlparser.ColName",
            Self::String(_) | Self::Int(_) | Self::Float(_) | Self::OtherLiteral(_) => {
                "*sqlparser.SQLVal"
            }
            Self::Bool(_) => "sqlparser.BoolVal",
            Self::Now(_) => FUNCTION,
            Self::Null => "*sqlparser.NullVal",
            Self::List(_) => "sqlparser.ValTuple",
            Self::Foreign(kind) => kind,
        }
    }
}
