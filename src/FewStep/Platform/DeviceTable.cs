namespace FewStep.Platform;

/// <summary>Constant numbers that are copied to a device once, not at every use.</summary>
internal sealed class DeviceTable(double[] values)
{
    private readonly Lock _lock = new();
    private Tensor? _tensor;

    /// <summary>The numbers on a device, float64; owned here.</summary>
    public Tensor On(Device device)
    {
        lock (_lock)
        {
            if (_tensor is null || _tensor.device_type != device.type || _tensor.device_index != device.index)
            {
                // another thread may still use the one before
                _tensor = tensor(values, dtype: float64, device: device).DetachFromDisposeScope();
            }

            return _tensor;
        }
    }
}
