namespace FewStep.Metrics;

/// <summary>A feature network that metrics can be measured on.</summary>
internal enum FeatureKind
{
    /// <summary>Inception-v3.</summary>
    Inception,

    /// <summary>A classifier of the same data.</summary>
    Classifier,

    /// <summary>A second classifier, which nothing was tuned, searched or chosen by.</summary>
    HeldBack,
}

/// <summary>How metrics on a kind of features are called.</summary>
internal static class FeatureKindNames
{
    /// <summary>A figure's key: those on the second classifier stand beside the same figures on the first.</summary>
    public static string Key(this FeatureKind kind, string key) => kind == FeatureKind.HeldBack ? $"held-back-{key}" : key;

    /// <summary>A figure's name for readers.</summary>
    public static string Name(this FeatureKind kind, string name) => kind == FeatureKind.HeldBack ? $"{name}, held back" : name;
}
