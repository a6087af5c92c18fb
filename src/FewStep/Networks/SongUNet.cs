using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Networks;

/// <summary>The DDPM++ and NCSN++ architectures of Song et al. (2011.13456) as NVlabs/edm writes them, with the same parameter names.</summary>
public sealed class SongUNet : UNet
{
    private readonly SongUNetOptions _options;
    private readonly NetworkBuilder _builder = new();
    private readonly NoiseEmbedding _noise;
    private readonly Linear? _label;
    private readonly Linear _layer0;
    private readonly Linear _layer1;
    private readonly List<EncoderStage> _encoder = [];
    private readonly List<DecoderStage> _decoder = [];

    /// <summary>Lays the network out.</summary>
    /// <param name="options">Architecture; checked.</param>
    /// <exception cref="Platform.InvalidInputException">An option is out of range.</exception>
    public SongUNet(SongUNetOptions options)
    {
        options.Validate();
        _options = options;
        int embedding = options.ModelChannels * options.ChannelMultEmb;
        int noise = options.ModelChannels * options.ChannelMultNoise;
        var init = new WeightInit(WeightInitMode.XavierUniform);
        var nearlyZero = init with { Scale = 1e-5 };
        var block = new UNetBlockOptions
        {
            EmbeddingChannels = embedding,
            Heads = 1,
            Dropout = options.Dropout,
            SkipScale = Math.Sqrt(0.5),
            Epsilon = 1e-6,
            ResampleFilter = options.ResampleFilter,
            ResampleProjection = true,
            AdaptiveScale = false,
            Init = init,
            InitZero = nearlyZero,
            InitAttention = init with { Scale = Math.Sqrt(0.2) },
        };

        _noise = options.EmbeddingType == "positional" ? new PositionalEmbedding(noise, endpoint: true) : new FourierEmbedding(_builder.At("map_noise"), noise);
        _label = options.LabelDim > 0 ? new Linear(_builder.At("map_label"), options.LabelDim, noise, init) : null;
        if (options.AugmentDim > 0)
        {
            // Without augmentation labels the reference skips this layer; its weight stays part of the checkpoint.
            _ = new Linear(_builder.At("map_augment"), options.AugmentDim, noise, init, bias: false);
        }

        _layer0 = new Linear(_builder.At("map_layer0"), noise, embedding, init);
        _layer1 = new Linear(_builder.At("map_layer1"), embedding, embedding, init);
        BuildDecoder(BuildEncoder(block, init), block, nearlyZero);
    }

    private enum AuxiliaryRole
    {
        None,
        Down,
        Skip,
        Residual,
    }

    /// <inheritdoc/>
    public override ParameterLayout Layout => _builder.Layout;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> Buffers => _builder.Buffers;

    /// <inheritdoc/>
    public override void MoveBuffers(Device device) => _builder.MoveBuffers(device);

    /// <inheritdoc/>
    public override double Dropout => _options.Dropout;

    /// <inheritdoc/>
    public override Tensor Forward(ForwardPass pass, Tensor x, Tensor noiseLabels, Tensor? classes)
    {
        var embedding = Embed(pass, noiseLabels, classes);
        var skips = new Stack<Tensor>();
        var auxiliary = x;
        foreach (var stage in _encoder)
        {
            switch (stage.Role)
            {
                case AuxiliaryRole.Down:
                    auxiliary = stage.Convolution!.Forward(pass, auxiliary);
                    break;
                case AuxiliaryRole.Skip:
                    _ = skips.Pop();
                    x = x.Plus(stage.Convolution!.Forward(pass, auxiliary));
                    skips.Push(x);
                    break;
                case AuxiliaryRole.Residual:
                    _ = skips.Pop();
                    x = auxiliary = x.Plus(stage.Convolution!.Forward(pass, auxiliary)).Times(Math.Sqrt(0.5));
                    skips.Push(x);
                    break;
                default:
                    x = stage.Block is null ? stage.Convolution!.Forward(pass, x) : stage.Block.Forward(pass, x, embedding);
                    skips.Push(x);
                    break;
            }
        }

        Tensor? output = null;
        foreach (var stage in _decoder)
        {
            if (stage.Block is not null)
            {
                x = stage.Block.InChannels == x.shape[1] ? x : cat([x, skips.Pop()], 1);
                x = stage.Block.Forward(pass, x, embedding);
            }
            else if (stage.Up is not null)
            {
                output = stage.Up.Forward(pass, output!);
            }
            else
            {
                var image = stage.OutConvolution!.Forward(pass, stage.OutNorm!.ForwardSilu(pass, x));
                output = output is null ? image : image.Plus(output);
            }
        }

        return output!;
    }

    private List<int> BuildEncoder(UNetBlockOptions block, WeightInit init)
    {
        var skipChannels = new List<int>();
        int channels = _options.ModelChannels, auxiliary = _options.InChannels;
        for (int level = 0; level < _options.ChannelMult.Count; level++)
        {
            string at = $"{_options.ImgResolution >> level}x{_options.ImgResolution >> level}";
            NetworkBuilder Named(string layer) => _builder.At("enc").At($"{at}_{layer}");
            if (level == 0)
            {
                _encoder.Add(new(null, new Conv2d(Named("conv"), _options.InChannels, channels, 3, init)));
                skipChannels.Add(channels);
            }
            else
            {
                _encoder.Add(new(new UNetBlock(Named("down"), channels, channels, block, down: true), null));
                skipChannels.Add(channels);
                if (_options.EncoderType == "skip")
                {
                    _encoder.Add(new(null, new Conv2d(Named("aux_down"), auxiliary, auxiliary, 0, null, down: true, filter: _options.ResampleFilter), AuxiliaryRole.Down));
                    _encoder.Add(new(null, new Conv2d(Named("aux_skip"), auxiliary, channels, 1, init), AuxiliaryRole.Skip));
                }
                else if (_options.EncoderType == "residual")
                {
                    var down = new Conv2d(Named("aux_residual"), auxiliary, channels, 3, init, down: true, filter: _options.ResampleFilter, fusedResample: true);
                    _encoder.Add(new(null, down, AuxiliaryRole.Residual));
                    auxiliary = channels;
                }
            }

            for (int i = 0; i < _options.NumBlocks; i++)
            {
                int next = _options.ModelChannels * _options.ChannelMult[level];
                _encoder.Add(new(new UNetBlock(Named($"block{i}"), channels, next, block, attention: HasAttention(level)), null));
                channels = next;
                skipChannels.Add(channels);
            }
        }

        return skipChannels;
    }

    private void BuildDecoder(List<int> skipChannels, UNetBlockOptions block, WeightInit nearlyZero)
    {
        int last = _options.ChannelMult.Count - 1;
        int channels = skipChannels[^1];
        for (int level = last; level >= 0; level--)
        {
            string at = $"{_options.ImgResolution >> level}x{_options.ImgResolution >> level}";
            NetworkBuilder Named(string layer) => _builder.At("dec").At($"{at}_{layer}");
            if (level == last)
            {
                _decoder.Add(new(new UNetBlock(Named("in0"), channels, channels, block, attention: true)));
                _decoder.Add(new(new UNetBlock(Named("in1"), channels, channels, block)));
            }
            else
            {
                _decoder.Add(new(new UNetBlock(Named("up"), channels, channels, block, up: true)));
            }

            for (int i = 0; i <= _options.NumBlocks; i++)
            {
                int joined = channels + skipChannels[^1];
                skipChannels.RemoveAt(skipChannels.Count - 1);
                channels = _options.ModelChannels * _options.ChannelMult[level];
                _decoder.Add(new(new UNetBlock(Named($"block{i}"), joined, channels, block, attention: i == _options.NumBlocks && HasAttention(level))));
            }

            if (_options.DecoderType == "skip" && level < last)
            {
                _decoder.Add(new(null, Up: new Conv2d(Named("aux_up"), _options.OutChannels, _options.OutChannels, 0, null, up: true, filter: _options.ResampleFilter)));
            }

            if (_options.DecoderType == "skip" || level == 0)
            {
                var norm = new GroupNorm(Named("aux_norm"), channels, 1e-6);
                _decoder.Add(new(null, OutNorm: norm, OutConvolution: new Conv2d(Named("aux_conv"), channels, _options.OutChannels, 3, nearlyZero)));
            }
        }
    }

    private bool HasAttention(int level) => _options.AttnResolutions.Contains(_options.ImgResolution >> level);

    private Tensor Embed(ForwardPass pass, Tensor noiseLabels, Tensor? classes)
    {
        var cosinesAndSines = _noise.Forward(noiseLabels).chunk(2, 1);
        var embedding = cat([cosinesAndSines[1], cosinesAndSines[0]], 1); // the reference swaps them
        if (_label is not null)
        {
            var labels = OneHot(classes, noiseLabels.shape[0], _options.LabelDim, noiseLabels.device);
            embedding = embedding.Plus(_label.Forward(pass, labels.Times(Math.Sqrt(_label.InFeatures))));
        }

        embedding = nn.functional.silu(_layer0.Forward(pass, embedding));
        return nn.functional.silu(_layer1.Forward(pass, embedding));
    }

    private sealed record EncoderStage(UNetBlock? Block, Conv2d? Convolution, AuxiliaryRole Role = AuxiliaryRole.None);

    private sealed record DecoderStage(UNetBlock? Block, Conv2d? Up = null, GroupNorm? OutNorm = null, Conv2d? OutConvolution = null);
}
