namespace FewStep.Denoising;

/// <summary>What a network on a variance-preserving model's own scale gives for x_t = alpha x0 + s n.</summary>
public enum NetworkPrediction
{
    /// <summary>The noise n.</summary>
    Epsilon,

    /// <summary>v = alpha n - s x0, of unit variance for unit data (Salimans and Ho 2202.00512).</summary>
    V,

    /// <summary>The image x0.</summary>
    Sample,
}
