//! The grammar: the part of MySQL's expressions that the reference's parser lets through.

use crate::{
    QueryError,
    expression::{BINARY, CASE, EXISTS, Expression, FUNCTION, Operator, SUBQUERY, UNARY},
    token::{Token, Tokens},
};

/// How deep parentheses, `NOT`s and signs may nest.
const DEPTH_MAX: usize = 50;

/// The function that is the time of the query.
const NOW: &str = "now";

/// The operator that looks for a part of a text.
const CONTAINS: &str = "contains";

/// A query as written.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) filter: Option<Expression>,
    pub(crate) group_by: Vec<Expression>,
    pub(crate) has_having: bool,
    /// What to sort by, the last first or not.
    pub(crate) order_by: Vec<(Expression, bool)>,
    pub(crate) has_limit: bool,
}

pub(crate) fn parse_statement(text: &str) -> Result<Statement, QueryError> {
    let mut parser = Parser { tokens: Tokens::new(text), depth: 0 };
    let filter = match parser.tokens.peek() {
        Token::End => None,
        _ if parser.tokens.starts_with_clause() => None,
        _ => Some(parser.expression()?),
    };
    let mut statement = Statement {
        filter,
        group_by: Vec::new(),
        has_having: false,
        order_by: Vec::new(),
        has_limit: false,
    };
    if parser.tokens.accept_keyword("group") {
        parser.tokens.expect_keyword("by")?;
        statement.group_by = parser.values()?;
    }
    if parser.tokens.accept_keyword("having") {
        parser.expression()?;
        statement.has_having = true;
    }
    if parser.tokens.accept_keyword("order") {
        parser.tokens.expect_keyword("by")?;
        statement.order_by = parser.order_by()?;
    }
    if parser.tokens.accept_keyword("limit") {
        parser.values()?;
        statement.has_limit = true;
    }
    parser.tokens.accept_symbol(";");
    if parser.tokens.peek() == &Token::End {
        Ok(statement)
    } else {
        Err(parser.tokens.unexpected())
    }
}

struct Parser {
    tokens: Tokens,
    depth: usize,
}

impl Parser {
    fn nested<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        if self.depth >= DEPTH_MAX {
            return Err(QueryError::Expression(format!("nested deeper than {DEPTH_MAX} levels")));
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    fn expression(&mut self) -> Result<Expression, QueryError> {
        let first = self.conjunction()?;
        let mut terms = vec![first];
        while self.tokens.accept_keyword("or") || self.tokens.accept_symbol("||") {
            terms.push(self.conjunction()?);
        }
        Ok(one_or(terms, Expression::Or))
    }

    fn conjunction(&mut self) -> Result<Expression, QueryError> {
        let first = self.negation()?;
        let mut terms = vec![first];
        while self.tokens.accept_keyword("and") || self.tokens.accept_symbol("&&") {
            terms.push(self.negation()?);
        }
        Ok(one_or(terms, Expression::And))
    }

    fn negation(&mut self) -> Result<Expression, QueryError> {
        if self.tokens.accept_keyword("not") {
            let inner = self.nested(Self::negation)?;
            return Ok(Expression::Not(Box::new(inner)));
        }
        let mut condition = self.condition()?;
        while self.tokens.accept_keyword("is") {
            let negated = self.tokens.accept_keyword("not");
            let what = match self.tokens.peek() {
                Token::Keyword(word @ ("null" | "true" | "false")) => *word,
                _ => return Err(self.tokens.unexpected()),
            };
            self.tokens.take();
            condition = Expression::Is { left: Box::new(condition), what, negated };
        }
        Ok(condition)
    }

    fn condition(&mut self) -> Result<Expression, QueryError> {
        if self.tokens.accept_keyword("exists") {
            self.subquery()?;
            return Ok(Expression::Foreign(EXISTS));
        }
        let left = self.value()?;
        let negated = self.tokens.accept_keyword("not");
        if self.tokens.accept_keyword("between") {
            let low = Box::new(self.value()?);
            self.tokens.expect_keyword("and")?;
            let high = Box::new(self.value()?);
            return Ok(Expression::Between { left: Box::new(left), low, high, negated });
        }
        let operator = match operator(self.tokens.peek(), negated) {
            Some(operator) => operator,
            None if negated => return Err(self.tokens.unexpected()),
            None => return Ok(left),
        };
        self.tokens.take();
        let right = match operator {
            Operator::In | Operator::NotIn => self.list()?,
            _ => self.value()?,
        };
        if matches!(operator, Operator::Like | Operator::NotLike)
            && self.tokens.accept_keyword("escape")
        {
            self.value()?;
        }
        Ok(Expression::Comparison { left: Box::new(left), operator, right: Box::new(right) })
    }

    /// The right side of `IN`.
    fn list(&mut self) -> Result<Expression, QueryError> {
        if self.tokens.peek() != &Token::Symbol("(") {
            return Err(self.tokens.unexpected());
        }
        if self.tokens.peek_at(1) == &Token::Keyword("select") {
            self.subquery()?;
            return Ok(Expression::Foreign(SUBQUERY));
        }
        self.tokens.take();
        let values = self.values()?;
        self.tokens.expect_symbol(")")?;
        Ok(Expression::List(values))
    }

    fn values(&mut self) -> Result<Vec<Expression>, QueryError> {
        let first = self.value()?;
        let mut values = vec![first];
        while self.tokens.accept_symbol(",") {
            values.push(self.value()?);
        }
        Ok(values)
    }

    fn order_by(&mut self) -> Result<Vec<(Expression, bool)>, QueryError> {
        let mut keys = Vec::new();
        loop {
            let key = self.value()?;
            let descending =
                !self.tokens.accept_keyword("asc") && self.tokens.accept_keyword("desc");
            keys.push((key, descending));
            if !self.tokens.accept_symbol(",") {
                return Ok(keys);
            }
        }
    }

    /// A value with arithmetic: `now()` plus or minus a duration. All other arithmetic is only
    /// recognised to be refused by its name.
    fn value(&mut self) -> Result<Expression, QueryError> {
        let mut value = self.operand()?;
        while is_arithmetic(self.tokens.peek()) {
            let sign = self.tokens.take();
            value = match (value, sign, self.tokens.peek()) {
                (Expression::Now(mut terms), Token::Symbol(sign @ ("+" | "-")), right) => {
                    let text = match right {
                        Token::Duration { number, units } => format!("{number}{units}"),
                        Token::String(text) => text.clone(),
                        _ => return Err(self.tokens.unexpected()),
                    };
                    terms.push((sign == "-", text));
                    self.tokens.take();
                    Expression::Now(terms)
                }
                _ => {
                    self.operand()?;
                    Expression::Foreign(BINARY)
                }
            };
        }
        Ok(value)
    }

    fn operand(&mut self) -> Result<Expression, QueryError> {
        let operand = match self.tokens.peek() {
            Token::Name(_) => return self.name(),
            Token::Symbol("(") => return self.parenthesised(),
            Token::Symbol(sign @ ("+" | "-")) => {
                let minus = *sign == "-";
                self.tokens.take();
                let inner = self.nested(Self::operand)?;
                return Ok(signed(minus, inner));
            }
            Token::Symbol("!" | "~") | Token::Keyword("binary") => {
                self.tokens.take();
                self.nested(Self::operand)?;
                return Ok(Expression::Foreign(UNARY));
            }
            Token::Keyword("case") => return self.case(),
            Token::Keyword("true") => Expression::Bool(true),
            Token::Keyword("false") => Expression::Bool(false),
            Token::Keyword("null") => Expression::Null,
            Token::String(text) => Expression::String(text.clone()),
            Token::Int(text) => Expression::Int(text.clone()),
            Token::Float(text) => Expression::Float(text.clone()),
            Token::Hex(text) | Token::Placeholder(text) => Expression::OtherLiteral(text.clone()),
            Token::Keyword(_)
            | Token::Symbol(_)
            | Token::Duration { .. }
            | Token::Wrong(_)
            | Token::End => {
                return Err(self.tokens.unexpected());
            }
        };
        self.tokens.take();
        Ok(operand)
    }

    fn name(&mut self) -> Result<Expression, QueryError> {
        let Token::Name(mut name) = self.tokens.take() else {
            return Err(self.tokens.unexpected());
        };
        while self.tokens.accept_symbol(".") {
            match self.tokens.peek() {
                Token::Name(part) => {
                    name.push('.');
                    name.push_str(part);
                }
                _ => return Err(self.tokens.unexpected()),
            }
            self.tokens.take();
        }
        if self.tokens.accept_symbol("(") {
            let bare = self.tokens.accept_symbol(")");
            if bare && name.eq_ignore_ascii_case(NOW) {
                return Ok(Expression::Now(Vec::new()));
            }
            if !bare {
                if !self.tokens.accept_symbol("*") {
                    self.nested(Self::values)?;
                }
                self.tokens.expect_symbol(")")?;
            }
            return Ok(Expression::Foreign(FUNCTION));
        }
        Ok(Expression::Name(name))
    }

    fn parenthesised(&mut self) -> Result<Expression, QueryError> {
        if self.tokens.peek_at(1) == &Token::Keyword("select") {
            self.subquery()?;
            return Ok(Expression::Foreign(SUBQUERY));
        }
        self.tokens.expect_symbol("(")?;
        let inner = self.nested(Self::expression)?;
        if self.tokens.accept_symbol(",") {
            let mut values = vec![inner];
            values.append(&mut self.nested(Self::values)?);
            self.tokens.expect_symbol(")")?;
            return Ok(Expression::List(values));
        }
        self.tokens.expect_symbol(")")?;
        Ok(Expression::Parentheses(Box::new(inner)))
    }

    /// Skips `( select ... )`.
    fn subquery(&mut self) -> Result<(), QueryError> {
        self.tokens.expect_symbol("(")?;
        self.tokens.expect_keyword("select")?;
        let mut open = 1_usize;
        while open > 0 {
            match self.tokens.peek() {
                Token::Symbol("(") => open += 1,
                Token::Symbol(")") => open -= 1,
                Token::Wrong(_) | Token::End => return Err(self.tokens.unexpected()),
                _ => {}
            }
            self.tokens.take();
        }
        Ok(())
    }

    /// Skips `case ... end`.
    fn case(&mut self) -> Result<Expression, QueryError> {
        let mut open = 0_usize;
        loop {
            match self.tokens.peek() {
                Token::Keyword("case") => open += 1,
                Token::Keyword("end") => open -= 1,
                Token::Wrong(_) | Token::End => return Err(self.tokens.unexpected()),
                _ => {}
            }
            self.tokens.take();
            if open == 0 {
                return Ok(Expression::Foreign(CASE));
            }
        }
    }
}

fn one_or(mut terms: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match terms.pop() {
        Some(only) if terms.is_empty() => only,
        Some(last) => {
            terms.push(last);
            many(terms)
        }
        None => many(terms),
    }
}

fn operator(token: &Token, negated: bool) -> Option<Operator> {
    let operator = match token {
        Token::Symbol(_) if negated => return None,
        Token::Symbol("=") => Operator::Equal,
        Token::Symbol("!=") => Operator::NotEqual,
        Token::Symbol("<") => Operator::Less,
        Token::Symbol("<=") => Operator::LessOrEqual,
        Token::Symbol(">") => Operator::Greater,
        Token::Symbol(">=") => Operator::GreaterOrEqual,
        Token::Symbol("<=>") => Operator::NullSafeEqual,
        Token::Keyword("in") if negated => Operator::NotIn,
        Token::Keyword("in") => Operator::In,
        Token::Keyword("like") if negated => Operator::NotLike,
        Token::Keyword("like") => Operator::Like,
        Token::Keyword("regexp" | "rlike") if negated => Operator::NotRegexp,
        Token::Keyword("regexp" | "rlike") => Operator::Regexp,
        Token::Keyword("starts_with") if negated => Operator::NotStartsWith,
        Token::Keyword("starts_with") => Operator::StartsWith,
        // No keyword: the reference has no such operator, so it may be a name there.
        Token::Name(name) if name.eq_ignore_ascii_case(CONTAINS) && negated => {
            Operator::NotContains
        }
        Token::Name(name) if name.eq_ignore_ascii_case(CONTAINS) => Operator::Contains,
        _ => return None,
    };
    Some(operator)
}

fn is_arithmetic(token: &Token) -> bool {
    matches!(
        token,
        Token::Symbol("+" | "-" | "*" | "/" | "%" | "&" | "|" | "^" | "<<" | ">>")
            | Token::Keyword("div")
    )
}

/// Folds a sign into a number, as the reference does for integers.
fn signed(minus: bool, value: Expression) -> Expression {
    let fold = |text: String| match (minus, text.strip_prefix('-')) {
        (false, _) => text,
        (true, Some(positive)) => positive.to_owned(),
        (true, None) => format!("-{text}"),
    };
    match value {
        Expression::Int(text) => Expression::Int(fold(text)),
        Expression::Float(text) => Expression::Float(fold(text)),
        _ => Expression::Foreign(UNARY),
    }
}
