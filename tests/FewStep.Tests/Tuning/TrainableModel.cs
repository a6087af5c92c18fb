using FewStep.Checkpoints;
using FewStep.Data;
using FewStep.Denoising;
using FewStep.Networks;

namespace FewStep.Tests.Tuning;

/// <summary>A network of a few thousand weights on 8x8 images, and plain images for it.</summary>
internal static class TrainableModel
{
    public static ModelConfig Config { get; } = new()
    {
        Name = "tiny",
        Shape = new ImageShape(1, 8, 8),
        Classes = 3,
        Preconditioning = new PreconditioningConfig(),
        Network = new SongUNetOptions
        {
            ImgResolution = 8,
            InChannels = 1,
            OutChannels = 1,
            LabelDim = 3,
            ModelChannels = 8,
            ChannelMult = [1, 2],
            NumBlocks = 1,
            AttnResolutions = [4],
            Dropout = 0.1
        },
    };

    internal sealed class Images(int count = 50) : IImageSet
    {
        public ImageShape Shape => Config.Shape;

        public int Count => count;

        public int Classes => 3;

        public string Hash => "tiny";

        public void Read(int index, Span<byte> destination) => destination.Fill((byte)(Label(index) * 100)); // something to learn

        public int Label(int index) => index % 3;

        public void Dispose()
        {
        }
    }
}
