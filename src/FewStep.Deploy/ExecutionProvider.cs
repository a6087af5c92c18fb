namespace FewStep.Deploy;

/// <summary>What ONNX Runtime evaluates a sampler on.</summary>
public enum ExecutionProvider
{
    /// <summary>The processor; in every ONNX Runtime.</summary>
    Cpu,

    /// <summary>A GPU of NVIDIA; needs the package <c>Microsoft.ML.OnnxRuntime.Gpu</c> in the application, CUDA and cuDNN. Convolutions are
    /// computed in float32, not in TF32, so that images stay those of the processor.</summary>
    Cuda,

    /// <summary>A GPU on Windows; needs the package <c>Microsoft.ML.OnnxRuntime.DirectML</c> in the application. Calls take turns: DirectML
    /// evaluates one at a time.</summary>
    DirectML,
}
