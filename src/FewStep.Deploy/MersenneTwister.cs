namespace FewStep.Deploy;

/// <summary>The generator MT19937 (Matsumoto and Nishimura 1998), which libtorch draws from on the processor.</summary>
internal sealed class MersenneTwister
{
    private const int Size = 624, Shift = 397;
    private const uint Upper = 0x80000000, Lower = 0x7fffffff, Twist = 0x9908b0df;
    private readonly uint[] _state = new uint[Size];
    private int _next = Size;

    public MersenneTwister(uint seed)
    {
        _state[0] = seed;
        for (uint i = 1; i < Size; i++)
            _state[i] = (1812433253 * (_state[i - 1] ^ (_state[i - 1] >> 30))) + i;
    }

    public uint Next32()
    {
        if (_next == Size)
            Refill();
        uint y = _state[_next++];
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c5680;
        y ^= (y << 15) & 0xefc60000;
        return y ^ (y >> 18);
    }

    public ulong Next64()
    {
        ulong high = Next32();
        return (high << 32) | Next32();
    }

    private void Refill()
    {
        for (int i = 0; i < Size; i++)
        {
            uint y = (_state[i] & Upper) | (_state[(i + 1) % Size] & Lower);
            _state[i] = _state[(i + Shift) % Size] ^ (y >> 1) ^ ((y & 1) == 0 ? 0 : Twist);
        }

        _next = 0;
    }
}
