namespace FewStep.Denoising;

/// <summary>What a network on a variance-preserving model's own scale gives for x_t = alpha x0 + s n.</summary>
public enum NetworkPrediction
{
    /// <summary>The noise n.</summary>
    Epsilon,

    /// <summary>v = alpha n - s x0 (Salimans and Ho 2022).</summary>
    V,

    /// <summary>The image x0.</summary>
    Sample,
}
