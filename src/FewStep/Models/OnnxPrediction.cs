namespace FewStep.Models;

/// <summary>What a model in an ONNX file gives.</summary>
public enum OnnxPrediction
{
    /// <summary>The denoised image D(x; sigma), from the inputs x = x0 + sigma n and sigma.</summary>
    Denoised,

    /// <summary>The noise, of a variance-preserving model that is told a time.</summary>
    Epsilon,

    /// <summary>v = alpha n - s x0, of a variance-preserving model that is told a time.</summary>
    V,

    /// <summary>The image x0, of a variance-preserving model that is told a time.</summary>
    Sample,

    /// <summary>The velocity n - x0 of a rectified flow.</summary>
    Flow,
}
