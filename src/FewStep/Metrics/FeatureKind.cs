namespace FewStep.Metrics;

/// <summary>A feature network that metrics can be measured on.</summary>
internal enum FeatureKind
{
    /// <summary>Inception-v3.</summary>
    Inception,

    /// <summary>A classifier of the same data.</summary>
    Classifier,
}
