//! A family's series, with a limit on how many there are.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry,
    core::{Collector, MetricVec, MetricVecBuilder},
};

use crate::{
    MetricsError,
    family::{Family, OTHER, SERIES_MAX},
};

/// The series of one family.
#[derive(Debug)]
pub(crate) struct Series<B: MetricVecBuilder> {
    family: &'static Family,
    metrics: MetricVec<B>,
    known: RwLock<HashMap<String, B::M>>,
    /// Belongs to no series; what a caller with the wrong number of labels gets.
    spare: B::M,
}

pub(crate) type Counters = Series<<IntCounterVec as Vector>::Builder>;
pub(crate) type Gauges = Series<<IntGaugeVec as Vector>::Builder>;
pub(crate) type Floats = Series<<GaugeVec as Vector>::Builder>;
pub(crate) type Histograms = Series<<HistogramVec as Vector>::Builder>;

/// Names the builder behind one of the library's vectors.
pub(crate) trait Vector {
    type Builder: MetricVecBuilder;
}

impl<B: MetricVecBuilder> Vector for MetricVec<B> {
    type Builder = B;
}

pub(crate) fn counters(
    registry: &Registry,
    family: &'static Family,
) -> Result<Counters, MetricsError> {
    Series::registered(registry, family, IntCounterVec::new(options(family), &names(family))?)
}

pub(crate) fn gauges(registry: &Registry, family: &'static Family) -> Result<Gauges, MetricsError> {
    Series::registered(registry, family, IntGaugeVec::new(options(family), &names(family))?)
}

pub(crate) fn floats(registry: &Registry, family: &'static Family) -> Result<Floats, MetricsError> {
    Series::registered(registry, family, GaugeVec::new(options(family), &names(family))?)
}

pub(crate) fn histograms(
    registry: &Registry,
    family: &'static Family,
) -> Result<Histograms, MetricsError> {
    let options = HistogramOpts::from(options(family)).buckets(family.buckets().to_vec());
    Series::registered(registry, family, HistogramVec::new(options, &names(family))?)
}

fn options(family: &Family) -> Opts {
    let options = Opts::new(family.name, family.help);
    match family.service.label() {
        Some(service) => options.const_label("service_name", service),
        None => options,
    }
}

fn names(family: &Family) -> Vec<&'static str> {
    family.labels.iter().map(|label| label.name).collect()
}

impl<B> Series<B>
where
    B: MetricVecBuilder + 'static,
    B::M: Clone,
    MetricVec<B>: Collector + Clone,
{
    fn registered(
        registry: &Registry,
        family: &'static Family,
        metrics: MetricVec<B>,
    ) -> Result<Self, MetricsError> {
        let others = vec![OTHER; family.labels.len()];
        let spare = metrics.get_metric_with_label_values(&others)?;
        metrics.remove_label_values(&others)?;
        registry.register(Box::new(metrics.clone()))?;
        Ok(Self { family, metrics, known: RwLock::default(), spare })
    }

    /// The series with these label values, in the order of the family's labels.
    pub(crate) fn with(&self, values: &[&str]) -> B::M {
        let key = values.join("\u{0}");
        if let Some(metric) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return metric.clone();
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < SERIES_MAX {
            let metric = self.resolve(values);
            known.insert(key, metric.clone());
            return metric;
        }
        drop(known);
        let capped: Vec<&str> = values
            .iter()
            .zip(self.family.labels)
            .map(|(value, label)| if label.chosen_by_users { OTHER } else { value })
            .collect();
        self.resolve(&capped)
    }

    fn resolve(&self, values: &[&str]) -> B::M {
        self.metrics.get_metric_with_label_values(values).unwrap_or_else(|_| self.spare.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names;

    #[test]
    fn past_the_limit_user_values_share_one_series() {
        let registry = Registry::new();
        let counters = counters(&registry, &names::SERVICE_REQUESTS).unwrap();
        for number in 0..SERIES_MAX + 500 {
            counters.with(&["StartWorkflowExecution", &format!("namespace-{number}")]).inc();
        }
        let series = registry.gather().first().unwrap().get_metric().len();
        assert_eq!(series, SERIES_MAX + 1);
        assert_eq!(counters.with(&["StartWorkflowExecution", "fresh"]).get(), 500);
        assert_eq!(counters.with(&["StartWorkflowExecution", "namespace-3"]).get(), 1);
    }

    #[test]
    fn a_wrong_number_of_labels_counts_nowhere() {
        let registry = Registry::new();
        let counters = counters(&registry, &names::SERVICE_REQUESTS).unwrap();
        counters.with(&["one"]).inc();
        assert!(registry.gather().is_empty());
    }
}
