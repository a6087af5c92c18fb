using FewStep.Onnx;

namespace FewStep.Studio.Web;

/// <summary>What was written.</summary>
/// <param name="Graph">The sampler's file.</param>
/// <param name="PageBytes">Size of the page's own files.</param>
/// <param name="Bytes">Size of the folder, with the sampler and ONNX Runtime Web's files.</param>
internal sealed record WebExported(OnnxExported Graph, long PageBytes, long Bytes);
