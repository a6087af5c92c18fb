namespace FewStep.Metrics;

/// <summary>A public weight file of the Inception-v3 that FID is defined on.</summary>
internal sealed record InceptionFile(InceptionKind Kind, string Name, string Source, string Sha256)
{
    /// <summary>The two public files, the usual one first.</summary>
    public static IReadOnlyList<InceptionFile> Known { get; } =
    [
        new(
            InceptionKind.PytorchFid,
            "pt_inception-2015-12-05-6726825d.pth",
            "https://github.com/mseitzer/pytorch-fid/releases/tag/fid_weights",
            "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"),
        new(
            InceptionKind.TorchScript,
            "inception-2015-12-05.pt",
            "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/",
            "f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4"),
    ];
}
