namespace FewStep.Models;

/// <summary>What ONNX Runtime computes a model with: one of its execution providers.</summary>
public enum OnnxProvider
{
    /// <summary>The processor.</summary>
    Cpu,

    /// <summary>A GPU of NVIDIA; takes the package Microsoft.ML.OnnxRuntime.Gpu.</summary>
    Cuda,

    /// <summary>A GPU on Windows; takes the package Microsoft.ML.OnnxRuntime.DirectML.</summary>
    DirectML,

    /// <summary>Apple's processors and GPUs.</summary>
    CoreML,
}
