namespace FewStep.Metrics;

/// <summary>Which of the two public translations of the 2015 Inception-v3 a weight file is. They resize and scale images differently, so
/// their features are close but not equal.</summary>
internal enum InceptionKind
{
    /// <summary>pytorch-fid's state dictionary: bilinear resizing with half-pixel centres, then values from -1 to 1.</summary>
    PytorchFid,

    /// <summary>NVIDIA's TorchScript (StyleGAN2-ADA, EDM): TensorFlow 1's bilinear resizing (source = target x scale), then (byte - 128) /
    /// 128.</summary>
    TorchScript,
}
