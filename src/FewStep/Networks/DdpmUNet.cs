namespace FewStep.Networks;

/// <summary>The architecture of DDPM (Ho et al. 2006.11239) as diffusers' <c>UNet2DModel</c> of convolutional resampling computes it, with
/// the blocks and the manner of names of NVlabs/edm.</summary>
internal sealed class DdpmUNet : UNet
{
    public DdpmUNet(DdpmUNetOptions options)
        : base(options.Checked())
    {
        int first = options.BlockChannels[0], embedding = options.EmbeddingChannels ?? first * 4;
        var init = new WeightInit(WeightInitMode.XavierUniform);
        var block = new UNetBlockOptions
        {
            EmbeddingChannels = embedding,
            Dropout = options.Dropout,
            Epsilon = options.NormEpsilon,
            NormGroups = options.NormGroups,
            MiddleAttentionGroups = options.MiddleAttentionGroups,
            AdaptiveScale = options.ScaleShift,
            Init = init,
            InitZero = init with { Scale = 1e-5 },
        };
        var noise = new PositionalEmbedding(first, options.FrequencyEndpoint);
        var layer0 = new Linear(Builder.At("map_layer0"), first, embedding, init);
        var layer1 = new Linear(Builder.At("map_layer1"), embedding, embedding, init);
        var label = options.LabelDim > 0 ? new Linear(Builder.At("map_label"), options.LabelDim, embedding, init, bias: false) : null;
        Lay(
            new UNetEmbedding(noise, layer0, layer1) { SinesFirst = !options.CosineFirst, Label = label },
            (place, at) => place.Role switch
            {
                UNetRole.Input => new Conv2d(at, place.InChannels, place.OutChannels, 3, init),
                UNetRole.Down => new StridedConv2d(at, place.OutChannels, init, options.SymmetricPadding),
                UNetRole.Up => new Conv2d(at, place.InChannels, place.OutChannels, 3, init, up: true),
                _ => new UNetBlock(at, place, block),
            },
            () =>
            {
                var norm = new GroupNorm(Builder.At("out_norm"), first, options.NormEpsilon, options.NormGroups);
                return new(norm, new Conv2d(Builder.At("out_conv"), first, options.OutChannels, 3, block.InitZero));
            });
    }
}
